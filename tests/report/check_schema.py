"""check_schema.py SCHEMA DOCUMENT: exit 1 and the first error when the document does not follow it."""
import json
import sys

import jsonschema

with open(sys.argv[1]) as schema_file, open(sys.argv[2]) as document_file:
    schema, document = json.load(schema_file), json.load(document_file)
jsonschema.Draft202012Validator.check_schema(schema)
for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
    sys.exit(f"{error.json_path}: {error.message[:300]}")
