"""Datasets of the Hugging Face Hub, or saved by ``Dataset.save_to_disk``, through the ``datasets`` package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CorpusError

_REMEDY = (
    "check the name; on a machine without network, download it elsewhere and set HF_HOME to that cache, "
    "or save it as parquet files and give their folder"
)


@dataclass(frozen=True)
class HubDataset:
    """The rows of each split, which can be gone through again and again, and what is known of them."""

    splits: dict[str, Any]
    title: str
    licence: str
    body: str

    @staticmethod
    def revision(rows: Any) -> str:
        """What names the content of one of the splits."""
        if fingerprint := getattr(rows, "_fingerprint", None):
            return str(fingerprint)
        # A stream has no fingerprint, but the addresses of its files hold the commit that they are of.
        addresses = getattr(getattr(rows, "_ex_iterable", None), "kwargs", {}).get("base_files", ())
        info = rows.info
        return f"{info.dataset_name}:{info.config_name}:{info.version}:{rows.split}:{sorted(map(str, addresses))}"


def load_from_hub(name: str, streaming: bool) -> HubDataset:
    """The dataset ``NAME`` or ``NAME:CONFIG``; with ``streaming`` it is read as it comes, not downloaded first.

    Raises:
        CorpusError: it is not there, can not be reached, or is of several configs and none was named.
    """
    import datasets

    dataset, _, config = name.partition(":")
    if not dataset:
        raise CorpusError("hf: must be followed by the name of a dataset, such as hf:imdb")
    try:
        loaded = datasets.load_dataset(dataset, config or None, streaming=streaming)
    except Exception as error:  # whatever a loader, the network or the cache may raise
        if "Config name is missing" in str(error):
            reason, remedy = str(error).split("Example")[0], f"write hf:{dataset}:CONFIG"
        else:
            reason, remedy = f"{type(error).__name__}: {_first_line(error)}", _REMEDY
        raise CorpusError(f"the dataset hf:{name} can not be opened ({reason}); {remedy}") from None
    return _described(loaded, dataset)


def load_saved(folder: Path) -> HubDataset:
    """A folder that ``save_to_disk`` of ``datasets`` wrote.

    Raises:
        CorpusError: it is damaged.
    """
    import datasets

    try:
        loaded = datasets.load_from_disk(str(folder))
    except Exception as error:  # as above
        raise CorpusError(
            f"{folder} looks like a folder of datasets' save_to_disk but can not be opened "
            f"({type(error).__name__}: {_first_line(error)}); save it again"
        ) from None
    return _described(loaded, folder.name)


def is_saved(folder: Path) -> bool:
    """Whether a folder was written by ``save_to_disk`` of ``datasets``."""
    alone = (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()
    return alone or (folder / "dataset_dict.json").is_file()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or "no reason given").splitlines()[0][:200]


def _described(loaded: Any, title: str) -> HubDataset:
    splits = dict(loaded) if isinstance(loaded, Mapping) else {str(loaded.split or "train"): loaded}
    info = next(iter(splits.values())).info
    return HubDataset(
        splits,
        title,
        str(info.license or "unknown"),
        str(info.description or ""),
    )
