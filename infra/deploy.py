"""``python -m infra.deploy --stage prod``: a packaged stage into CloudFormation, and what it is called there.

boto3 rather than the AWS command line, because boto3 is already among the requirements and the command line would have
to be installed by hand. Every deployment is a change set: CloudFormation demands one for templates with functions, and
one without changes is known before anything is touched.

The first deployment makes the operator key and the signing key. They pass to CloudFormation as hidden parameters and
are stored in the stage's secret; later deployments do not change it, also after it was rotated.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parent.parent
KEPT = ("OperatorKey", "SigningKey", "AlarmEmail")
"""Parameters that an update leaves as they are unless they are given."""
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_POLL_SECONDS = 3.0


class DeploymentFailed(Exception):
    """Says what CloudFormation said."""


class Deployer:
    """One account and region, by a boto3 session."""

    def __init__(self, session: Any, *, poll_seconds: float = _POLL_SECONDS) -> None:
        self._cloudformation = session.client("cloudformation")
        self._s3 = session.client("s3")
        self._region = session.region_name
        self._account = session.client("sts").get_caller_identity()["Account"]
        self._poll_seconds = poll_seconds

    def deploy(self, stage: str, package: Path, *, alarm_email: str = "") -> dict[str, str]:
        """Bring ``package`` (a folder made by ``infra.package``) to the stack of ``stage``; returns its outputs.

        Raises ``DeploymentFailed``; CloudFormation has rolled back by then.
        """
        stack = f"forfait-{stage}"
        status = self._status(stack)
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise DeploymentFailed(f"{stack} is {status}: somebody else is deploying; wait and try again")
        if status.startswith("ROLLBACK_"):
            raise DeploymentFailed(
                f"{stack} is {status}: its first deployment failed and nothing can be built on that; "
                "docs/operations.md says how to clear it away"
            )
        creates = status in ("", "REVIEW_IN_PROGRESS")
        template_url = self._upload(package)
        name = f"deploy-{int(time.time() * 1000)}"
        self._cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType="CREATE" if creates else "UPDATE",
            TemplateURL=template_url,
            Parameters=parameters(creates, alarm_email),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        if self._has_changes(stack, name):
            self._cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
            self._settle(stack)
        self._cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
        outputs = self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
        return {each["OutputKey"]: each["OutputValue"] for each in outputs}

    def _status(self, stack: str) -> str:
        """The stack's status, empty when there is none."""
        try:
            return str(self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        except ClientError as problem:
            if "does not exist" in str(problem):
                return ""
            raise

    def _upload(self, package: Path) -> str:
        """The zip and the template in the account's bucket of artefacts; returns the template's address.

        Objects are named by their content and kept: a rollback needs the last zip.
        """
        bucket = f"forfait-artifacts-{self._account}-{self._region}"
        self._make_bucket(bucket)
        template = json.loads((package / "template.json").read_text())
        for function in template["Resources"].values():
            if function["Type"] == "AWS::Serverless::Function":
                archive = package / function["Properties"]["CodeUri"]
                function["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": archive.name}
        # The owner of another bucket of this name could change what is deployed.
        owned = {"Bucket": bucket, "ExpectedBucketOwner": self._account}
        self._s3.put_object(**owned, Key=archive.name, Body=archive.read_bytes())
        # Above CloudFormation's 51,200 bytes for a template in the request itself.
        key = f"{archive.stem}-{time.time_ns()}.json"
        self._s3.put_object(**owned, Key=key, Body=json.dumps(template).encode())
        return f"{self._s3.meta.endpoint_url}/{bucket}/{key}"

    def _make_bucket(self, bucket: str) -> None:
        try:
            self._s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=self._account)
            return
        except ClientError as problem:
            if problem.response["Error"]["Code"] == "403":
                raise DeploymentFailed(
                    f"the bucket {bucket} is another account's, or this role may not use it"
                ) from None
            if problem.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
                raise
        # The oldest region is the only one that must not be named.
        where = {} if self._region == "us-east-1" else {"LocationConstraint": self._region}
        self._s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))
        self._s3.put_public_access_block(
            Bucket=bucket,
            ExpectedBucketOwner=self._account,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        )

    def _has_changes(self, stack: str, name: str) -> bool:
        """Wait for the change set; whether there is anything to execute."""
        while True:
            found = self._cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
            if found["Status"] == "CREATE_COMPLETE":
                return True
            if found["Status"] == "FAILED":
                reason = found.get("StatusReason", "")
                self._cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
                if any(text in reason for text in _NO_CHANGES):
                    return False
                raise DeploymentFailed(f"{stack}: {reason}")
            time.sleep(self._poll_seconds)

    def _settle(self, stack: str) -> None:
        """Wait for the stack; ``DeploymentFailed`` with the first causes when it rolled back."""
        while (status := self._status(stack)).endswith("_IN_PROGRESS"):
            time.sleep(self._poll_seconds)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise DeploymentFailed(f"{stack} is {status}:\n" + "\n".join(self._causes(stack)))

    def _causes(self, stack: str) -> list[str]:
        events = self._cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [each for each in events if each["ResourceStatus"].endswith("FAILED")]
        return [f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}" for each in failed[::-1][:5]]


def parameters(creates: bool, alarm_email: str) -> list[dict[str, Any]]:
    """The parameters of the change set; for the others the template's defaults count, which ``package`` fills in."""
    given = {"AlarmEmail": alarm_email} if alarm_email else {}
    if creates:
        given |= {"OperatorKey": f"fo_{secrets.token_urlsafe(32)}", "SigningKey": secrets.token_urlsafe(32)}
    parameters: list[dict[str, Any]] = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
    if not creates:
        parameters += [{"ParameterKey": key, "UsePreviousValue": True} for key in KEPT if key not in given]
    return parameters


def main() -> int:
    """The command line; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description="Deploy a packaged stage to AWS.")
    parser.add_argument("--stage", required=True)
    parser.add_argument("--package", type=Path, help="what infra.package made (default build/STAGE)")
    parser.add_argument("--alarm-email", default=os.environ.get("ALARM_EMAIL", ""), help="default: ALARM_EMAIL")
    options = parser.parse_args()
    package = options.package or ROOT / "build" / options.stage
    try:
        outputs = Deployer(boto3.session.Session()).deploy(options.stage, package, alarm_email=options.alarm_email)
    except DeploymentFailed as problem:
        sys.stderr.write(f"deployment failed: {problem}\n")
        return 1
    for name, value in sorted(outputs.items()):
        sys.stdout.write(f"{name:20} {value}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
