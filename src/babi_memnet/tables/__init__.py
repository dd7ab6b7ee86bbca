"""What is read on paper and screen: sheets, figures, pages and reports, drawn from records alone."""
