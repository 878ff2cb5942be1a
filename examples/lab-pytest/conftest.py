"""The fixture `lab`. The binary is the one in DAYFLY, or `dayfly` of the path."""

import os

import pytest
from lab import Lab


@pytest.fixture(scope="session")
def lab_key(tmp_path_factory):
    """Where the labs of all tests keep one RSA key: making one takes longer than all the rest."""
    return tmp_path_factory.mktemp("lab") / "lab.pem"


@pytest.fixture
def lab(lab_key):
    # Calm: where the specification leaves a choice, the lab does what production does, and a test asks for more by name.
    with Lab(os.environ.get("DAYFLY", "dayfly"), lab_key, 1, "--calm") as lab:
        yield lab
