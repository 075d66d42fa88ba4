#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes running relays answer every call of /v1/openapi.json with every status that it lists, and judges each answer by the document:
status, media type, header fields, schema. What is listed without a recipe here fails, and so does an answer that is not listed.
RELAYS (JSON, see openapi_test.cpp) stands in the environment. Exits 0 when all holds. The recipes are openapi_recipes.py's."""
import json
import os
import re
import sys
import time

import jsonschema

from openapi_recipes import Recipes
from openapi_relay import Relay

METHODS = ("get", "put", "post", "delete", "patch")
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_time(value):
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", value) is not None


class Document:
    def __init__(self, text):
        self.root = json.loads(text)
        self.resolver = jsonschema.RefResolver("", self.root)

    def resolve(self, item):
        return self.resolver.resolve(item["$ref"])[1] if "$ref" in item else item

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def wrong(self, schema, value):
        """What the schema says against the value, in a line; empty when it holds."""
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver, format_checker=FORMATS)
        return "; ".join(f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in validator.iter_errors(value))

    def own_faults(self):
        """References that lead nowhere, schemas that are none, examples that their schema refuses, doubled names."""
        def walk(item):
            if isinstance(item, list):
                for child in item:
                    yield from walk(child)
            if isinstance(item, dict):
                yield item
                for child in item.values():
                    yield from walk(child)

        for item in walk(self.root):
            if isinstance(item.get("$ref"), str):
                self.resolver.resolve(item["$ref"])
            if "schema" in item and "example" in item:
                if wrong := self.wrong(item["schema"], item["example"]):
                    yield f"example {json.dumps(item['example'])[:100]}: {wrong}"
        for name, schema in self.root["components"]["schemas"].items():
            jsonschema.Draft202012Validator.check_schema(schema)
        names = [operation["operationId"] for _, _, operation in self.operations()]
        yield from (f"operationId {name} is given twice" for name in {n for n in names if names.count(n) > 1})
        for _, path, operation in self.operations():
            given = operation.get("parameters", []) + self.root["paths"][path].get("parameters", [])
            told = {p["name"] for p in map(self.resolve, given) if p["in"] == "path"}
            if told != set(re.findall(r"\{(\w+)\}", path)):
                yield f"{path}: its parameters are {told}"


def media_type(answer):
    return answer.fields.get("content-type", "").split(";")[0]


def field_faults(document, described, answer):
    for name, field in described.get("headers", {}).items():
        field = document.resolve(field)
        value = answer.fields.get(name.lower())
        if value is None:
            if field.get("required"):
                yield f"{name} is missing"
            continue
        typed = int(value) if field["schema"].get("type") == "integer" and value.isdecimal() else value
        if wrong := document.wrong(field["schema"], typed):
            yield f"{name}: {wrong}"


def faults(document, described, answer):
    """What the answer does that its description does not say."""
    yield from field_faults(document, described, answer)
    kind = media_type(answer)
    content = described.get("content", {})
    if not content and not answer.body:
        return
    if kind not in content:
        yield f"media type {kind!r} is not listed"
        return
    is_json = kind.endswith("json")
    value = json.loads(answer.body) if is_json else answer.body.decode("latin-1")
    if wrong := document.wrong(content[kind]["schema"], value):
        yield wrong
    if kind == "application/problem+json" and value.get("status") != answer.status:
        yield "the problem names another status"


class Report:
    def __init__(self):
        self.failed = 0
        self.pairs = 0

    def tell(self, what, wrong):
        if wrong:
            self.failed += 1
            print(f"FAILED {what}: {wrong}", flush=True)


def judge_pair(document, operation, status, answers):
    described = document.resolve(operation["responses"][str(status)])
    for answer in answers:
        if answer.status != status:
            listed = "" if str(answer.status) in operation["responses"] else ", which is not listed"
            yield f"answered {answer.status}{listed}: {answer.body[:300]}"
            continue
        yield from faults(document, described, answer)
    unseen = set(described.get("content", {})) - {media_type(answer) for answer in answers}
    if unseen:
        yield f"no answer was {', '.join(sorted(unseen))}"


def judge_all(document, recipes, report):
    wanted = [(method, path, int(status), operation) for method, path, operation in document.operations()
              for status in operation["responses"]]
    # What ends a relay's health comes last.
    for method, path, status, operation in sorted(wanted, key=lambda pair: recipes.order(*pair[:3])):
        what = f"{method} {path} {status}"
        report.pairs += 1
        try:
            answers = recipes.answers(method, path, status)
            wrong = "; ".join(judge_pair(document, operation, status, answers)) if answers else "there is no recipe"
        except Exception as why:  # the others are worth knowing, too
            wrong = f"{type(why).__name__}: {why}"
        report.tell(what, wrong)
    for unused in recipes.unused():
        report.tell(" ".join(map(str, unused)), "a recipe for what is not listed")


def judge_methods(document, relay, report):
    """405 names what the path has: a method that the document forgot is found here."""
    for path, item in document.root["paths"].items():
        answer = relay.call("PATCH", relay.filled(path))
        expected = {method.upper() for method in METHODS if method in item} | ({"HEAD"} if "get" in item else set())
        wrong = list(faults(document, document.resolve(item["x-other-methods"]), answer))
        if answer.status != 405 or set(answer.fields.get("allow", "").split(", ")) != expected:
            wrong.append(f"{answer.status}, Allow: {answer.fields.get('allow')}")
        report.tell(f"PATCH {path}", "; ".join(wrong))
    lost = relay.call("GET", "/v1/nothing")
    described = document.root["components"]["responses"]["NoSuchPath"]
    report.tell("GET /v1/nothing", "; ".join(faults(document, described, lost)) or ("" if lost.status == 404 else str(lost.status)))


def judge_head(document, relay, report):
    for method, path, operation in document.operations():
        if method != "GET" or "{" in path or operation["security"]:
            continue
        get, head = relay.call("GET", path), relay.call("HEAD", path)
        same = (get.status, get.fields.get("content-length")) == (head.status, head.fields.get("content-length"))
        report.tell(f"HEAD {path}", "" if same and not head.body else f"{head.status}, {len(head.body)} octets")


def judge_bodies(document, recipes, report):
    """What was taken is what the document says may be sent."""
    for method, path, kind, body in recipes.taken_bodies:
        schema = document.root["paths"][path][method.lower()]["requestBody"]["content"][kind]["schema"]
        report.tell(f"{method} {path}, body {body[:60]!r}", document.wrong(schema, json.loads(body) if kind.endswith("json") else body))


def judge_events(document, recipes, report):
    schema = document.root["webhooks"]["event"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    events = recipes.webhook_events({"delivered", "bounced", "picked_up"})
    for event in events:
        report.tell(f"webhook {event.get('type')}", document.wrong(schema, event))
    missing = {"delivered", "bounced", "picked_up"} - {event["type"] for event in events}
    report.tell("webhooks", f"no event {missing}" if missing else "")


def main():
    started = time.monotonic()
    relays = {name: Relay(**facts) for name, facts in json.loads(os.environ["RELAYS"]).items()}
    document = Document(relays["main"].call("GET", "/v1/openapi.json").body)
    report = Report()
    for fault in document.own_faults():
        report.tell("the document", fault)
    recipes = Recipes(relays, [(method, path) for method, path, _ in document.operations()])
    judge_methods(document, relays["main"], report)
    judge_head(document, relays["main"], report)
    judge_all(document, recipes, report)
    judge_bodies(document, recipes, report)
    judge_events(document, recipes, report)
    print(f"{report.pairs} pairs, {report.failed} failed, {time.monotonic() - started:.0f} s")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
