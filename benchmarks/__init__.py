"""What is measured, against whom; results as JSON with the machine they were taken on."""
