"""What routes and other rooms call: one module per noun, and ``term_versions`` for the dated facts that price calls."""
