#!/bin/sh
# Makes the secrets that docker-compose.yml reads, each in a file of its own below deploy/secrets. What is there stays.
set -eu
cd "$(dirname "$0")"
# Nobody else may enter the folder; within containers, where other users read the files, it is not there.
(umask 077 && mkdir -p secrets)
for name in postgres_password redis_password store_secret_key first_password worker_token; do
  file="secrets/$name"
  [ -s "$file" ] || od -An -tx1 -N24 /dev/urandom | tr -d ' \n' >"$file"
  chmod 644 "$file"
done
echo "The first user's password is in deploy/secrets/first_password."
