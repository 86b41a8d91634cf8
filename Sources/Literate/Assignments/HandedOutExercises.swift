import Foundation

/// The exercises of a student's package as they were handed out.
public struct HandedOutExercises {
  private let package: URL

  /// - Parameter folders: The notebooks of the student's package.
  public init(_ folders: NotebookFolders) {
    package = folders.package
  }

  /// What was changed outside of the answers, which is not graded: a line for each file.
  public var changes: [String] {
    let folder = package.appending(path: Release.handoutName, directoryHint: .isDirectory)
    let files = (try? filesBelow(folder)) ?? []
    return files.compactMap { file -> String? in
      let root = folder.path(percentEncoded: false)
      let path = String(
        file.path(percentEncoded: false).dropFirst(root.count).dropLast(".txt".count))
      guard let text = AssignmentPackage.text(of: file) else { return nil }
      guard let own = AssignmentPackage.text(of: package.appending(path: path)) else {
        return "\(path): expected the file of the exercises, found none; copy it from "
          + "\(Release.handoutName)/\(path).txt"
      }
      let (handedOut, now) = (AnswerText(text), AnswerText(own))
      let lost = handedOut.answers.keys.sorted().filter { now.answers[$0] == nil }
      if let name = lost.first {
        return
          "\(path): expected the markers // BEGIN ANSWER: \(name) and // END ANSWER, found not both"
      }
      let changed = now.changes(from: handedOut)
      return changed.isEmpty
        ? nil
        : "\(path), line \(changed[0]): changed outside of the answers; only what is between "
          + "// BEGIN ANSWER and // END ANSWER is graded"
    }
  }
}
