"""The command line: what it prints, where, and with which exit code."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from textdl import artifact

SMALL = ["--hidden", "24", "--embedding", "8", "--batch-size", "8", "--seq-length", "16", "--device", "cpu"]
LINES = [
    f"{a} {b} {c}.\n"
    for a in ("a red", "the blue", "one green")
    for b in ("cat", "dog", "owl")
    for c in ("sits", "runs")
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "animals.txt"
    path.write_text("".join(LINES) * 20)
    return path


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    import textdl

    out = tmp_path_factory.mktemp("runs") / "animals"
    textdl.train("lm", corpus, out=out, steps=60, lr=0.02, hidden=24, embedding=8, batch_size=8, seq_length=16,
                 device="cpu", documents="line", progress=False)  # fmt: skip
    return out


def test_train_shows_lines_on_stderr_and_json_on_stdout(cli, corpus, tmp_path):
    code, out, err = cli("train", "lm", corpus, "--out", tmp_path / "r", "--steps", 30, *SMALL, "--json")
    assert code == 0
    report = json.loads(out)
    assert report["ended"] == "finished"
    assert report["steps"] == 30
    assert "SRU language model, 2 x 24, on animals" in err
    assert "bits/char" in err
    assert "characters/s" in err
    assert "\x1b[" not in err
    code, out, err = cli("train", "lm", corpus, "--out", tmp_path / "q", "--steps", 2, *SMALL, "--quiet")
    assert (code, out, err) == (0, "", "")


def test_generate_streams_text_and_repeats_with_a_seed(cli, run):
    code, first, err = cli("generate", run, "--prompt", "the blue ", "--seed", 1, "--length", 40)
    assert (code, err) == (0, "")
    assert first.startswith("the blue ")
    assert cli("generate", run, "--prompt", "the blue ", "--seed", 1, "--length", 40)[1] == first
    code, out, _ = cli("generate", run, "--count", 3, "--json", "--length", 20)
    texts = [json.loads(line) for line in out.splitlines()]
    assert [t["number"] for t in texts] == [0, 1, 2]
    again = cli("generate", run, "--count", 3, "--json", "--length", 20, "--seed", texts[0]["seed"])[1]
    assert again == out, "the seed that is printed is the seed that was used"


def test_device_auto_is_understood_by_every_command_that_takes_a_device(cli, run):
    assert cli("generate", run, "--device", "auto", "--length", 5)[0] == 0
    assert cli("evaluate", run, "--device", "auto", "--json")[0] == 0


def test_evaluate_and_info(cli, run, corpus):
    code, out, _ = cli("evaluate", run, "--json")
    assert code == 0
    figures = json.loads(out)
    assert figures["split"] == "test"
    assert figures["same_corpus"] is True
    code, out, _ = cli("evaluate", run)
    assert f"bits per character   {figures['bits_per_character']:.4f}" in out
    code, out, _ = cli("info", run)
    assert all(
        word in out for word in ("lm model on animals", "hidden", "24", "parameters", "torch", "bits per character")
    )
    assert json.loads(cli("info", run, "--json")[1])["model"]["hidden"] == 24


def test_evaluate_another_text(cli, run, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("the red owl sits.\n" * 30)
    code, out, err = cli("evaluate", run, other)
    assert code == 0
    assert "note: other is not the text" in err
    assert "split                all" in out


def test_corpora(cli):
    code, out, err = cli("corpora")
    assert code == 0
    assert out.startswith("recipes")
    assert "hf:NAME" in err
    code, out, _ = cli("corpora", "show", "recipes", "--samples", 1)
    assert code == 0
    assert "Serves" in out or "Makes" in out


def test_config_file_then_flags_then_set(cli, run, corpus, tmp_path):
    code, *_ = cli("train", "lm", corpus, "--out", tmp_path / "r", "--config", run / "config.json", "--steps", 2,
                   "--set", "train.clip=0.5", "--set", "evaluations=1", "--quiet")  # fmt: skip
    assert code == 0
    config = artifact.read_config(tmp_path / "r")
    assert config["model"]["hidden"] == 24
    assert config["train"]["steps"] == 2
    assert config["train"]["clip"] == 0.5
    assert config["data"]["documents"] == "line"
    hand = tmp_path / "mine.json"
    hand.write_text('{"model": {"cell": "gru", "hidden": 8}, "train": {"steps": 1}}')
    assert cli("train", "lm", corpus, "--out", tmp_path / "h", "--config", hand, "--quiet")[0] == 0
    assert artifact.read_config(tmp_path / "h")["model"]["cell"] == "gru"


@pytest.mark.parametrize(
    "command, words",
    [
        ("train lm {tmp}/missing.txt --out {tmp}/r", "there is no corpus, file or folder"),
        ("train lm recipe --out {tmp}/r", "did you mean 'recipes'"),
        ("train lm {tmp}/empty.txt --out {tmp}/r", "is empty"),
        ("train lm {tmp}/binary.txt --out {tmp}/r", "binary.txt"),
        ("train lm {tmp}/short.txt --out {tmp}/r", "fewer than one sequence of 512"),
        ("train lm {tmp}/rows.jsonl --text-field tittle --out {tmp}/r", "did you mean 'title'"),
        ("train lm {corpus} --out {run}", "holds a run already"),
        ("train lm {corpus} --out {tmp}/empty.txt/r", "give another --out"),
        ("train lm {corpus} --out {tmp}/r --hidden -1", "hidden must be at least 1, got -1"),
        ("train lm {corpus} --out {tmp}/r --hidden 99999999", "hidden must be at most"),
        ("train lm {corpus} --out {tmp}/r --cell lstn", "did you mean 'lstm'"),
        ("train lm {corpus} --out {tmp}/r --lr nan", "lr must be a number"),
        ("train lm {corpus} --out {tmp}/r --device cuda:77", "device 'cuda:77' is not there"),
        ("train lm {corpus} --out {tmp}/r --set lrr=1", "did you mean 'lr'"),
        ("train lm {corpus} --out {tmp}/r --set lr", "--set takes NAME=VALUE"),
        ("train lm {corpus} --out {tmp}/r --config {tmp}/missing.json", "missing.json is missing"),
        ("train lm {corpus} --out {tmp}/r --config {tmp}/bad.json", "config has no setting 'model.hidden'"),
        ("train lmm {corpus} --out {tmp}/r", "did you mean 'lm'"),
        ("trane lm {corpus}", "did you mean 'train'"),
        ("generate {tmp}/none", "no run at"),
        ("generate {tmp}", "is no run"),
        ("generate {run} --prompt Žebra", "characters that the model has never seen: 'Ž'"),
        ("generate {run} --device cuda:77", "device 'cuda:77' is not there"),
        ("evaluate {run} --device gpu", "device must be auto, cpu, cuda"),
        ("generate {run} --temperature -1", "temperature must be at least 0"),
        ("evaluate {run} --split tset", "no split 'tset'; did you mean 'test'"),
        ("evaluate {run} {tmp}/missing.txt", "there is no corpus, file or folder"),
        ("info {tmp}/cut", "cut short"),
        ("info {tmp}/newer", "made by a newer textdl"),
        ("corpora show recipies", "did you mean 'recipes'"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_exit_code_2(cli, corpus, run, tmp_path, command, words):
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "short.txt").write_text("hello")
    (tmp_path / "bad.json").write_text('{"model": {"model.hidden": 3}}')
    (tmp_path / "rows.jsonl").write_text('{"title": "a"}\n{"title": "b"}\n')
    for name, config in (("cut", '{"format": 1, '), ("newer", '{"format": 99}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(config)
    code, out, err = cli(*command.format(tmp=tmp_path, corpus=corpus, run=run).split())
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line]
    assert len(lines) == 1, err
    assert (words if words != "config has no setting 'model.hidden'" else "model has no setting") in lines[0]
    assert not (tmp_path / "r").exists(), "nothing is left behind"


def test_help_has_an_example_everywhere(cli):
    for command in (
        [],
        ["train"],
        ["train", "lm"],
        ["generate"],
        ["evaluate"],
        ["info"],
        ["corpora"],
        ["corpora", "show"],
    ):
        code, out, _ = cli(*command, "--help")
        assert code == 0
        assert "Example: textdl" in out, command
    assert cli("--version")[1].strip() == __import__("textdl").__version__


def test_help_lists_every_flag_with_its_default(cli):
    out = cli("train", "lm", "--help")[1]
    flags = "cell hidden layers epochs steps minutes lr batch-size seq-length tokenizer device precision seed config"
    for flag in flags.split():
        assert f"--{flag} " in out, flag
    assert "rnn, lstm, gru, sru" in " ".join(out.replace("│", " ").split())
    assert "train.clip" in out


@pytest.mark.slow
def test_ctrl_c_saves_the_run_and_exits_with_130(corpus, tmp_path):
    out = tmp_path / "r"
    command = [
        sys.executable,
        "-m",
        "textdl_cli.main",
        "train",
        "lm",
        str(corpus),
        "--out",
        str(out),
        "--epochs",
        "100000",
    ]
    process = subprocess.Popen([*command, *SMALL], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (
        (out / "metrics.jsonl").exists() and (out / "metrics.jsonl").stat().st_size
    ):
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "interrupted after" in err
    import textdl

    assert textdl.load(out).report["ended"] == "interrupted"
    assert textdl.load(out).generate("a ", length=5, seed=1)


@pytest.mark.slow
def test_a_second_process_on_a_run_folder_is_refused(corpus, tmp_path):
    out = tmp_path / "r"
    out.mkdir()
    command = [
        sys.executable,
        "-m",
        "textdl_cli.main",
        "train",
        "lm",
        str(corpus),
        "--out",
        str(out),
        "--steps",
        "1",
        *SMALL,
    ]
    with artifact.locked(out):
        second = subprocess.run(command, capture_output=True, text=True)
    assert second.returncode == 2
    assert "is being written by another process" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
