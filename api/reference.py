"""Renders an OpenAPI document as a page that needs no script, no network and no build."""

import json
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8886; }
details { border: 1px solid #8886; border-radius: 6px; margin: .4rem 0; padding: .3rem .7rem; }
summary { cursor: pointer; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: #8882; border-radius: 6px; overflow-x: auto; padding: .6rem; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left;
vertical-align: top; } b.m { display: inline-block; min-width: 4.2rem; }
nav a { margin-right: .8rem; }
"""


def page(document: dict[str, Any]) -> str:
    """Return the whole page; every text of the document is escaped."""
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = operation.get("tags", ["other"])[0]
            by_tag.setdefault(tag, []).append(_operation(document, method, path, operation))
    links = "".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in sorted(by_tag))
    sections = "".join(
        f'<h2 id="{escape(tag)}">{escape(tag)}</h2>{"".join(by_tag[tag])}' for tag in sorted(by_tag)
    )
    info = document["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}'
        f' API</title><meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"</head><body><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"<p>{escape(info['description'])}</p>"
        '<p>The same as a document: <a href="/openapi.json">/openapi.json</a>.</p>'
        f"<nav>{links}</nav>{sections}</body></html>"
    )


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    parts = [f"<p>{escape(operation.get('description', ''))}</p>", _parameters(operation)]
    if body:
        shown = example(document, body["schema"])
        parts.append(f"<p>Body</p><pre>{escape(_json(shown))}</pre>")
    parts.append(
        f"<p>As a command</p><pre>{escape(_curl(document, method, path, operation))}</pre>"
    )
    parts += [
        f"<p>Answer {escape(status)}</p>{_answer(document, answer)}"
        for status, answer in operation["responses"].items()
        if status != "default"
    ]
    name = escape(operation["operationId"])
    return (
        f'<details id="{name}"><summary><b class="m">{method.upper()}</b> <code>{escape(path)}'
        f"</code> · {name}</summary>{''.join(parts)}</details>"
    )


def _parameters(operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}"
        f"{', required' if p.get('required') else ''}</td>"
        f"<td>{escape(p.get('description', ''))}</td></tr>"
        for p in operation.get("parameters", [])
    )
    return f"<table>{rows}</table>" if rows else ""


def _answer(document: dict[str, Any], answer: dict[str, Any]) -> str:
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    return f"<pre>{escape(_json(example(document, schema)))}</pre>" if schema else ""


def _curl(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    lines = [f"curl -X {method.upper()} $RACINE{path}"]
    if "security" in operation:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        shown = json.dumps(example(document, content["application/json"]["schema"]))
        lines.append("-H 'Content-Type: application/json'")
        lines.append("-d '" + shown.replace("'", "'\\''") + "'")
    return " \\\n  ".join(lines)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def example(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """Return the schema's own example, or the simplest value that fits it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example(document, document["components"]["schemas"][name], depth + 1)
    for key in ("example", "const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    choices = [s for s in schema.get("anyOf", schema.get("oneOf", ())) if s.get("type") != "null"]
    if choices:
        return example(document, choices[0], depth + 1)
    return _plain(document, schema, depth)


def _plain(document: dict[str, Any], schema: dict[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object" and depth < 8:
        properties = schema.get("properties", {})
        return {name: example(document, inner, depth + 1) for name, inner in properties.items()}
    if kind == "array":
        items = schema.get("items")
        return [example(document, items, depth + 1)] if items and depth < 8 else []
    if kind == "string":
        formats = {"date-time": "2026-11-21T06:00:00Z", "email": "ada@example.org"}
        return formats.get(schema.get("format", ""), "…")
    plain: dict[str | None, Any] = {"integer": 1, "number": 1.5, "boolean": True, "object": {}}
    return plain.get(kind)
