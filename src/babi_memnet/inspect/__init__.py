"""What a reader looks at: figures and reports. The only home of plotting."""
