import Foundation

/// Puts a line into the box on the page: what the results were made with.
///
/// ```swift
/// note("Kernels", "AVX-512")
/// ```
///
/// - Parameters:
///   - name: What it is about; a later value of the same name takes the earlier one's place.
///   - value: What is to be said.
@MainActor
public func note(_ name: String, _ value: String) {
  Session.current.report(.fact(.init(name, value)))
}

/// Tells the runner that results depend on the files of a folder: when they change, a run that was
/// made before is no longer fresh.
@MainActor
public func noteData(in folder: URL) {
  Session.current.report(.data(.init(folder: folder.path(percentEncoded: false))))
}
