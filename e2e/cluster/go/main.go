// Command kubernetes is the whole control plane in one file: etcd, kube-apiserver, kube-controller-manager, kubectl
// and helm, linked from their upstream modules without copying or patching a line of them.
//
// Which of them it is, the name it is called by says (`kubectl get pods`), or its first argument
// (`kubernetes kubectl get pods`). They share global flags, feature gates and metric registries, so one process is
// always only one of them.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The commands by name. Each returns the exit status; some never return.
var commands = map[string]func() int{
	"etcd":                    etcd,
	"helm":                    helm,
	"kube-apiserver":          apiServer,
	"kube-controller-manager": controllerManager,
	"kubectl":                 kubectl,
}

func main() {
	if command, known := commands[filepath.Base(os.Args[0])]; known {
		os.Exit(command())
	}
	if len(os.Args) > 1 {
		if command, known := commands[os.Args[1]]; known {
			// The components read os.Args themselves, kubectl to find its plugins.
			os.Args = os.Args[1:]
			os.Exit(command())
		}
	}
	var names []string
	for name := range commands {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(os.Stderr, "usage: %s COMMAND [ARGUMENT...]\nCOMMAND is one of: %s\n", os.Args[0], strings.Join(names, ", "))
	os.Exit(2)
}
