"""Holds manifests against the schemas of a Kubernetes version: validate.py VERSION, documents on
standard input; prints `kind/name: verdict` for each. `no schema`: of a custom resource."""
import sys

import kubernetes_validate
import yaml


def main() -> None:
    for document in yaml.safe_load_all(sys.stdin):
        name = f"{document['kind']}/{document['metadata']['name']}"
        try:
            kubernetes_validate.validate(document, sys.argv[1], strict=True)
            print(f"{name}: valid")
        except kubernetes_validate.SchemaNotFoundError:
            print(f"{name}: no schema")
        except kubernetes_validate.ValidationError as error:
            print(f"{name}: {error.message}")


main()
