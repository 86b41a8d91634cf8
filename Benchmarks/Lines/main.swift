// Makes EMNIST Lines in the data folder, for ../emnist_lines.py to time.

import Lab

exitOnError { _ = try EMNISTLines(DataOptions(source: .download)) }
