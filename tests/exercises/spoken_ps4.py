"""Problem set 4: what is said to mistakes that have no hint, as the case's own message says it."""

FORGOTTEN = "still wait: neither started nor refused. Nobody asks any more"

SPOKEN = {
    ("dynamic.batcher", "no_wake"): FORGOTTEN,
    ("dynamic.batcher", "refuses_silently"): FORGOTTEN,
    ("dynamic.batcher", "all_at_once"): "a batch of 6 is to start; most = 4.",
    (
        "dynamic.batcher",
        "starts_while_busy",
    ): "a batch is to start while another one is computed: idle is False.",
    ("dynamic.batcher", "wakes_now"): "it must be later than now, or math.inf.",
    (
        "dynamic.batcher",
        "keeps_the_batch",
    ): "is named, which does not wait: it has been answered or refused before.",
    ("quantise.grid", "zero_rows_divided"): "whose numbers go from 0 to 0, should be 1; it is 0.",
    ("distillation.loss", "overflows"): "it is inf.",
    ("distillation.loss", "exchanged"): "loss should be one number; it has shape (5, 4).",
    ("budget.project", "bits_alone"): "40 units in 2 bits take ",
    ("budget.project", "single_zeros"): "A 0 takes as long as any other number",
    (
        "budget.project",
        "units_alone",
    ): "12 units in 16 bits take 606 bytes and 504 of work; allowed are 300 and 190.",
    ("budget.project", "too_coarse"): "allowed are 300 and 190. Scales and biases count too.",
    ("budget.project", "tries_for_ever"): "All 60 trials have been made. Return your answer before that.",
    ("budget.project", "float_bits"): "bits must be a whole number from 2 to 16; got 32.",
    (
        "budget.project",
        "inputs_dropped",
    ): "W1 should have shape (16, 12), with b1 of 12 units; it has (8, 12).",
    ("random.features", "exchanged"): "K should have shape (4, 4); it has shape (4, 6).",
}
