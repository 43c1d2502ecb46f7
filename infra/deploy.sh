#!/bin/sh
# One stage onto AWS: package, then deploy. `make deploy STAGE=prod` runs it with the venv's Python first in PATH.
# Credentials and region come from the environment or the AWS profile, as for every AWS tool; ALARM_EMAIL is optional.
set -eu

stage=${1:?say which stage: infra/deploy.sh prod}
cd "$(dirname "$0")/.."

python -m infra.package --stage "$stage"
python -m infra.deploy --stage "$stage"
