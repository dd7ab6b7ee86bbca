"""The training loop: schedules, batches and time noise, restarts as a leading axis."""
