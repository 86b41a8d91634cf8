// Generates EMNIST Lines in the data folder; timed by ../emnist_lines.py.

import Lab

exitOnError { _ = try EMNISTLines(DataOptions(source: .download)) }
