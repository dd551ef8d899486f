//! A named pipe that processes hold open: what they write comes out, and its end means that all of them are gone,
//! whoever their parents were and whether or not anyone has waited for them.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::mpsc;

pub(crate) struct Fifo {
    pub(crate) path: PathBuf,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Fifo {
    pub(crate) fn new(directory: &Path) -> Self {
        let path = directory.join("fifo");
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
        let (sender, lines) = mpsc::unbounded_channel();
        let opened = path.clone();
        // A thread, because opening waits for the first writer; it ends with the last one.
        std::thread::spawn(move || {
            for line in BufReader::new(File::open(opened).expect("the pipe")).lines() {
                _ = sender.send(line.expect("a line"));
            }
        });
        Self { path, lines }
    }

    pub(crate) async fn line(&mut self) -> String {
        super::soon("a line", self.lines.recv()).await.expect("a line before the end")
    }

    /// Waits until no process holds the pipe any more, and returns what was still written.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        let mut rest = Vec::new();
        while let Some(line) = super::soon("the end of all processes", self.lines.recv()).await {
            rest.push(line);
        }
        rest
    }
}
