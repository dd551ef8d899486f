"""Runs the contract cases against one cloud.

    run.py local http://127.0.0.1:4566     the local cloud's wire door
    run.py moto                            a moto server of its own
    run.py aws                             a real account: credentials, region and the variables below from the environment

A real account needs DRYAD_CONTRACT_VPC, DRYAD_CONTRACT_SUBNETS (two or more, commas between them) and
DRYAD_CONTRACT_IMAGE. The cases launch a few t3.micro there for some minutes, and remove what they made.
"""

import os
import sys
import traceback
import uuid

import boto3
from botocore.config import Config

from cases import CASES, Cloud

ACCOUNT = "123456789012"


def clients(endpoint):
    more = {}
    if endpoint:
        more = {
            "endpoint_url": endpoint,
            "aws_access_key_id": ACCOUNT,
            "aws_secret_access_key": "not checked",
            "region_name": "us-east-1",
        }
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
    session = boto3.session.Session()
    names = {"autoscaling": "autoscaling", "ec2": "ec2", "elb": "elbv2", "ssm": "ssm", "sts": "sts"}
    return {field: session.client(name, config=config, **more) for field, name in names.items()}


def main():
    kind = sys.argv[1]
    server = None
    if kind == "aws":
        made = clients(None)
        vpc = os.environ["DRYAD_CONTRACT_VPC"]
        subnets = os.environ["DRYAD_CONTRACT_SUBNETS"].split(",")
        image, patience = os.environ["DRYAD_CONTRACT_IMAGE"], 900.0
    else:
        if kind == "moto":
            from moto.server import ThreadedMotoServer

            server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
            server.start()
            host, port = server.get_host_and_port()
            made, patience = clients(f"http://{host}:{port}"), 5.0
        else:
            made, patience = clients(sys.argv[2]), 20.0
        found = made["ec2"].describe_subnets()["Subnets"]
        subnets, vpc = [it["SubnetId"] for it in found][:3], found[0]["VpcId"]
        image = made["ec2"].describe_images()["Images"][0]["ImageId"]
    failed = 0
    for function, documentation in CASES:
        prefix = f"c{uuid.uuid4().hex[:8]}"
        cloud = Cloud(**made, vpc=vpc, subnets=subnets, image=image, patience=patience, prefix=prefix)
        wrong = kind == "moto" and documentation is not None
        try:
            function(cloud)
            verdict = "moto has learned this: drop the mark" if wrong else "ok"
            failed += wrong
        except Exception:
            verdict = f"moto is wrong, see {documentation}" if wrong else f"FAILED\n{traceback.format_exc()}"
            failed += not wrong
        # What moto gets wrong may leave something behind there that cannot be removed.
        left = [] if wrong else cloud.clean()
        failed += bool(left)
        print(f"{kind}: {function.__name__}: {verdict}{''.join(f' LEFT BEHIND: {error}' for error in left)}", flush=True)
    if server:
        server.stop()
    print(f"{kind}: {len(CASES)} cases, {failed} failed")
    sys.exit(1 if failed else 0)


main()
