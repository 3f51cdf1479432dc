"""Problem set 2: what is said to mistakes that have no hint, as the case's own message says it."""

DECAYS = "a step should do no more than multiply w by 1 - eta * lam"
FIRST = "The first step should move every weight by eta"
APART = "If so: what does one know of the other?"

T = "is the first step t = 1, and counted before they are made?"

SPOKEN = {
    ("adamw.run", "t_from_zero"): T,
    ("amsgrad.class", "t_from_zero"): T,
    ("adamw.repair", "as_it_came"): DECAYS,
    ("adamw.repair", "decay_mended"): FIRST,
    ("adamw.repair", "root_mended"): DECAYS,
    ("adamw.repair", "state_mended"): DECAYS,
    ("adamw.repair", "decay_left"): DECAYS,
    ("adamw.repair", "root_left"): FIRST,
    ("adamw.repair", "state_left"): APART,
    ("onecycle.schedule", "starts_at_base"): "The line starts there at t = 0: step 1 is a step further.",
    ("tuning.study", "selects_on_training"): "Choose on validation: the training rows are known by heart.",
    ("tuning.study", "without_decay"): "(no decay above 0 was tried)",
    ("tuning.study", "narrow"): "the largest rate of all was the best",
    ("tuning.study", "training_losses_logged"): "That is the training loss; the log holds the second",
    ("tuning.study", "longer_for_one"): "a comparison gives both the same budget",
    ("tuning.study", "half_the_budget"): "24 of 60 were not made",
    ("tuning.study", "best_rows_alone"): "60 were made: a log leaves none out",
    ("tuning.study", "bad_trials_left_out"): "a log leaves none out, the bad ones neither",
    ("tuning.study", "same_trial_again"): "of the log are the same trial, adamw(0.001, 0.3)",
    ("tuning.study", "same_settings_for_both"): "Choose the least",
    ("tuning.study", "choices_exchanged"): "Choose the least",
    ("tuning.study", "the_last_one"): "Choose the least",
    ("tuning.study", "the_worst"): "Choose the least",
    ("tuning.study", "invented"): "The log holds each trial's validation loss",
    ("tuning.study", "over_budget"): "All 60 trials have been made",
}
