"""Compression: an easier network by pruning, quantisation or distillation, then fine-tuning."""
