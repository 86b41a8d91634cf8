"""Runs cells in the kernel as Jupyter does: with nbclient and jupyter_client from PyPI.

Argument: an exported notebook that is to run from top to bottom.
"""

import json
import os
import sys
import time

import nbclient
import nbformat
import zmq
from jupyter_client.manager import KernelManager

FIGURE = """import Plot
var figure = Figure(size: (1, 0.8))
figure[0].imshow(Image(width: 2, height: 2, values: [0, 1, 1, 0]))
show(figure, as: "squares", alt: "Four squares")"""

LOOP = """import Foundation
FileHandle.standardError.write(Data("\\rwaiting\\u{1b}[K".utf8))
while true { usleep(1000) }"""

ERROR = """struct Mistake: Error {}
attempt { if x > 0 { throw Mistake() } }
let after = "after the error\""""


def expect(actual, expected, what):
    if actual != expected:
        raise SystemExit(f"{what}: expected {expected!r}, got {actual!r}")
    print(f"{what}: as expected", flush=True)


class Client:
    """A front end that names cells, as JupyterLab does."""

    def __init__(self):
        self.manager = KernelManager(kernel_name="swift")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def send(self, code, cell=None, deleted=(), **options):
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {},
                   "allow_stdin": False, "stop_on_error": True, **options}
        message = self.client.session.msg("execute_request", content)
        if cell:
            message["metadata"] = {"cellId": cell, "deletedCells": list(deleted)}
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def collect(self, request, until=None):
        """The outputs of a request as short texts, up to its end or to one that contains `until`."""
        outputs, deadline = [], time.time() + 120
        while time.time() < deadline:
            message = self.client.get_iopub_msg(timeout=120)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return outputs
            if kind == "stream":
                if outputs and outputs[-1].startswith(content["name"]):
                    outputs[-1] += content["text"]
                else:
                    outputs.append(f'{content["name"]}: {content["text"]}')
            elif kind == "error":
                outputs.append(f'{content["ename"]}: {content["evalue"]}')
                self.traceback = content["traceback"]
            elif kind == "display_data":
                outputs.append(content["data"]["text/plain"])
            if until and outputs and until in outputs[-1]:
                return outputs
        raise SystemExit(f"no end after two minutes; so far {outputs}")

    def run(self, code, cell=None, **options):
        outputs = self.collect(self.send(code, cell, **options))
        self.reply = self.client.get_shell_msg(timeout=30)["content"]
        return outputs

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()


def notebook(*cells):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata.kernelspec = {"name": "swift", "display_name": "Swift", "language": "swift"}
    return book


def with_nbclient():
    book = notebook('let x = 41\nprint("hello")', "print(x + 1)", FIGURE, ERROR, "print(after)")
    book.cells[3].metadata.tags = ["raises-exception"]
    nbclient.NotebookClient(book, kernel_name="swift", timeout=120).execute()
    nbformat.validate(book)
    cells = book.cells
    expect([cell.execution_count for cell in cells], [1, 2, 3, 4, 5], "execution counts")
    # Earlier cells run again, but only the output of the cell itself is shown.
    expect(cells[1].outputs[0].text, "42\n", "output")
    figure = cells[2].outputs[0]
    expect(figure.data["text/plain"], "Four squares", "the figure's text")
    expect(figure.metadata["image/png"]["alt"], "Four squares", "the figure's alternative text")
    expect(figure.data["image/png"][:11], "iVBORw0KGgo", "the figure's bytes")
    expect([output.output_type for output in cells[3].outputs], ["error"], "an error")
    expect(cells[3].outputs[0].evalue, "Mistake()", "the error's text")
    expect(cells[4].outputs[0].text, "after the error\n", "the cell after an error")


def with_names(client):
    expect(client.run("%parameters speed=1", "a"), [], "parameters")
    expect(client.run("%matplotlib inline", "a")[0].split(",")[0],
           "Unknown command: expected %parameters name=value … or %reset", "an unknown command")
    expect(client.run("let x = 1\nprint(x)", "a"), ["stdout: 1\n"], "a cell")
    expect(client.run('print("x is \\(x)")', "b"), ["stdout: x is 1\n"], "a second cell")
    expect(client.run("let z = x +\nlet q = nothing", "c")[0].split(":")[0], "Compile error",
           "a compile error")
    expect(client.run("\nprint(nothing)", "c"),
           ["Compile error: line 2: cannot find 'nothing' in scope"], "the line of the error")
    expect([line.strip() for line in client.traceback[1:4]],
           ["line 2, column 7: cannot find 'nothing' in scope", "1 |", "2 | print(nothing)"],
           "the error's place")
    expect(client.run("let x = 20\nprint(x)", "a"), ["stdout: 20\n"], "an edited cell")
    expect(client.run('print("x is \\(x)")', "b"), ["stdout: x is 20\n"], "the cell after it")
    expect(client.run('print(1)\nfatalError("no data")', "c"), ["stdout: 1\n", "Error: no data"],
           "a trap")
    expect(client.traceback, ["Error: no data", '2 | fatalError("no data")'], "the trap's line")
    expect(client.reply["status"], "error", "the reply after a trap")
    # Optimized programs do not always say which check failed.
    expect([output[:7] for output in client.run("print([1][x])", "c")], ["Error: "], "a bad index")
    expect(client.run('let x = "two"', "d"),
           ["Compile error: line 1: invalid redeclaration of 'x' (and 1 more)"], "a name declared twice")
    expect(client.run('let x = "two"\nprint(x)', "d", deleted=["a", "b"]), ["stdout: two\n"],
           "a name of a deleted cell")
    expect(client.run("print(x)", "e"), ["stdout: two\n"], "a cell that uses it")
    expect(client.run("let w = 1", "d"), [], "the cell without the name")
    broken = client.run("print(w)", "f")[0]
    expect(broken.split("[")[0], "Compile error: cell ", "a cell that ran before is named")
    expect(broken.split("], ")[1], "line 1: cannot find 'x' in scope", "its line")
    expect(client.run("%reset\nprint(1)", "e"), ["stdout: 1\n"], "all cells forgotten")


def interrupted(client):
    request = client.send(LOOP, "loop")
    waiting = client.send("print(2)", "next")
    expect(client.collect(request, until="waiting"), ["stdout: \rwaiting"], "a bar as it happens")
    # Requests are answered while a cell runs.
    client.client.is_complete("let f = {")
    expect(client.client.get_shell_msg(timeout=5)["content"]["status"], "incomplete", "completeness")
    started = time.time()
    client.manager.interrupt_kernel()
    expect(client.collect(request)[-1], "Interrupted: the cell was interrupted", "an interruption")
    expect(time.time() - started < 5, True, "an interruption at once")
    expect(client.client.get_shell_msg(timeout=5)["content"]["status"], "error", "its reply")
    expect(client.collect(waiting), [], "the execution that waited")
    expect(client.client.get_shell_msg(timeout=5)["content"]["status"], "aborted", "its reply")
    expect(client.run("print(3)", "next"), ["stdout: 3\n"], "the cell after an interruption")


def without_names(client):
    client.run("%reset")
    expect(client.run("var n = 1"), [], "a cell without a name")
    expect(client.run("n += 1"), [], "a change")
    expect(client.run("n += 1\nprint(n)"), ["stdout: 3\n"], "a second change")
    expect(client.run("var n = 10"), [], "a name declared again replaces the cell")
    expect(client.run("print(n)"), ["stdout: 12\n"], "what came after it runs again")


def foreign(client):
    """A message with a wrong signature is dropped, and the kernel lives on."""
    connection = json.load(open(client.manager.connection_file))
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.connect(f'tcp://{connection["ip"]}:{connection["shell_port"]}')
    header = json.dumps({"msg_id": "1", "session": "s", "username": "u", "date": "2026-01-01",
                         "msg_type": "kernel_info_request", "version": "5.3"}).encode()
    for parts in [[b"<IDS|MSG>", b"0" * 64, header, b"{}", b"{}", b"{}"], [b"x"], [b""] * 3]:
        socket.send_multipart(parts)
    expect(socket.poll(1000), 0, "no reply to a wrong signature")
    socket.close(0)
    expect(client.run("print(4)", "next"), ["stdout: 4\n"], "a cell after that")


def exported(path):
    book = nbformat.read(path, 4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.expected = cell.outputs
    started = time.time()
    client = nbclient.NotebookClient(
        nbformat.from_dict({**book, "cells": [{key: value for key, value in cell.items()
                                               if key != "expected"} for cell in book.cells]}),
        kernel_name="swift", timeout=300)
    client.execute()

    def standard_output(outputs):
        return "".join(output.text for output in outputs if output.get("name") == "stdout")

    def figures(outputs):
        return [output.data["image/png"].strip() for output in outputs
                if output.output_type == "display_data" and "image/png" in output.data]

    for old, new in zip(book.cells, client.nb.cells):
        if old.cell_type == "code":
            name = old.source.split("\n")[0]
            expect(standard_output(new.outputs), standard_output(old.expected), f"output of {name}")
            expect(figures(new.outputs), figures(old.expected), f"figures of {name}")
    print(f"{os.path.basename(path)}: {time.time() - started:.1f} s")


def main():
    with_nbclient()
    client = Client()
    try:
        with_names(client)
        interrupted(client)
        without_names(client)
        foreign(client)
    finally:
        client.stop()
    for path in sys.argv[1:]:
        exported(path)


main()
