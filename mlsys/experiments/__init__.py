"""One function a claim: fixed seeds in, a small result record out."""
