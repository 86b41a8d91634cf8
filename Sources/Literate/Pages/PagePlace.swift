import Foundation

/// Where a page is, which decides its links.
struct PagePlace: Sendable {
  private enum Kind {
    /// In the notebook's folder. If the run failed, the last page that passed is in a folder below.
    case current(hasLastPassed: Bool)
    /// In the folder below, with the page of a later run that failed above.
    case lastPassed
    /// By itself, as it is handed out.
    case alone
  }

  private let kind: Kind
  private let surroundings: PageSurroundings?
  /// The language of the page.
  private(set) var language = Language.english
  /// The other languages in which there is the page.
  private(set) var otherLanguages: [Language] = []
  /// The languages in which there is the page of the other run.
  var languagesOfOtherRun: Set<Language> = [.english]

  /// The page in the notebook's folder.
  static func current(
    hasLastPassed: Bool, in surroundings: PageSurroundings? = nil
  ) -> PagePlace {
    PagePlace(kind: .current(hasLastPassed: hasLastPassed), surroundings: surroundings)
  }

  /// The page of the last run that passed, with that of a later run in the folder above.
  static func lastPassed(in surroundings: PageSurroundings?) -> PagePlace {
    PagePlace(kind: .lastPassed, surroundings: surroundings)
  }

  /// The place of the page in one of its languages.
  func of(_ language: Language, among languages: [Language]) -> PagePlace {
    var place = self
    place.language = language
    place.otherLanguages = languages.filter { $0 != language }
    return place
  }

  /// The page by itself, in a file or an archive that is handed out: it links to no files but its own.
  static let alone = PagePlace(kind: .alone, surroundings: nil)

  /// Whether there are no other pages around this one.
  var isAlone: Bool { if case .alone = kind { true } else { false } }

  /// The path from the page's folder to that of all pages.
  private var wayUp: String {
    switch kind {
    case .current, .alone: ".."
    case .lastPassed: "../.."
    }
  }

  /// The address of the gallery.
  var gallery: String { "\(wayUp)/\(language.indexFile)" }

  /// The sentence about the page of the other run, and the link to it for one of the formats; `nil` if
  /// there is none.
  ///
  /// - Parameter file: The file of a page in a language.
  func other(
    _ file: (Language) -> String
  ) -> (sentence: String, link: String, address: String)? {
    let other = languagesOfOtherRun.contains(language) ? language : .english
    let address = linkAddress(file(other))
    return switch kind {
    case .current(false), .alone: nil
    case .current(true):
      (language[.earlierRunPassed], language[.itsPage], "\(RunFolder.lastPassedName)/\(address)")
    case .lastPassed: (language[.isEarlierRun], language[.itsPage], "../\(address)")
    }
  }

  /// The notebooks before and after this one, with the addresses of their pages.
  ///
  /// - Parameter file: The file of a notebook's page, by the notebook's name and the language.
  func neighbors(
    _ file: (String, Language) -> String
  ) -> (previous: (title: String, address: String)?, next: (title: String, address: String)?) {
    let places = [surroundings?.previous, surroundings?.next].map { neighbor in
      neighbor.map { neighbor in
        let title = neighbor.titles[language] ?? neighbor.title
        guard neighbor.hasPage else {
          // The gallery tells how to run it.
          let card = gallery + anchorAddress(GalleryCard.anchor(of: neighbor.name))
          return (title: title, address: card)
        }
        let other = neighbor.pages.contains(language) ? language : .english
        let page = linkAddress(file(neighbor.name, other))
        return (title: title, address: "\(wayUp)/\(linkAddress(neighbor.name))/\(page)")
      }
    }
    return (places[0], places[1])
  }

  /// The path of the notebook's source in the package, such as `Notebooks/01-look/main.swift`.
  func source(of name: String) -> String { surroundings?.source ?? "Notebooks/\(name)/main.swift" }

  /// The address of a file or folder of the package; `nil` if there is none of that path, or if the page
  /// is not in the package's folder.
  ///
  /// - Parameter path: The path in the package.
  func address(ofFile path: String) -> String? {
    guard let surroundings, let way = surroundings.wayToPackage, surroundings.hasFile(path) else {
      return nil
    }
    let up = if case .lastPassed = kind { "../" } else { "" }
    return "\(up)\(way)/\(linkAddress(path))"
  }

  /// The address on the page of a link in the notebook's prose, which is relative to the source; `nil` if
  /// it is none to a file of the package.
  func address(ofLink link: String) -> String? {
    let source = source(of: "").split(separator: "/").map(String.init)
    guard !link.hasPrefix("/"), !link.hasPrefix("#"), !link.contains(":") else { return nil }
    let pieces = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = pieces[0].removingPercentEncoding else { return nil }
    var parts = Array(source.dropLast())
    for part in path.split(separator: "/") where part != "." {
      guard part == ".." else {
        parts.append(String(part))
        continue
      }
      guard parts.popLast() != nil else { return nil }
    }
    let fragment = pieces.count > 1 ? "#\(pieces[1])" : ""
    return address(ofFile: parts.joined(separator: "/")).map { $0 + fragment }
  }
}

/// What a page can link to besides its own files: the sources of its package, and the notebooks before
/// and after it.
struct PageSurroundings: Sendable {
  /// Another notebook.
  struct Neighbor: Sendable {
    let name: String
    let title: String
    /// The titles in other languages.
    var titles: [Language: String] = [:]
    /// The languages in which it has a page.
    let pages: Set<Language>

    var hasPage: Bool { !pages.isEmpty }
  }

  /// The package's folder.
  let package: URL
  /// The path of the notebook's source in it.
  let source: String
  /// The path from the notebook's page to the package's folder, such as `../..`; `nil` if the page is
  /// elsewhere.
  let wayToPackage: String?
  let previous: Neighbor?
  let next: Neighbor?

  /// Whether there is a file or a folder of this path in the package, which is not hidden.
  func hasFile(_ path: String) -> Bool {
    isPathInside(path) && !path.hasPrefix(".") && !path.contains("/.")
      && FileManager.default.fileExists(
        atPath: package.appending(path: path).path(percentEncoded: false))
  }

  /// The path from a folder to one above it, such as `../..`; `nil` if it is not above.
  static func way(from folder: URL, to above: URL) -> String? {
    let folders = [folder, above].map { url in
      url.resolvingSymlinksInPath().standardizedFileURL.path(percentEncoded: false)
        .split(separator: "/")
    }
    guard folders[0].count > folders[1].count, folders[0].starts(with: folders[1]) else {
      return nil
    }
    return Array(repeating: "..", count: folders[0].count - folders[1].count)
      .joined(separator: "/")
  }
}

extension NotebookFolders {
  /// What the page of a notebook can link to.
  ///
  /// - Parameters:
  ///   - notebook: The notebook.
  ///   - folder: The folder of its page.
  func surroundings(of notebook: NotebookProgram, pageIn folder: URL) -> PageSurroundings {
    let package = sources.deletingLastPathComponent()
    let all = all
    let index = all.firstIndex { $0.name == notebook.name }
    // The pages of a check have none beside them.
    let hasNeighbors = PageSurroundings.way(from: folder, to: output) == ".."
    func neighbor(_ step: Int) -> PageSurroundings.Neighbor? {
      guard hasNeighbors, let index, all.indices.contains(index + step) else { return nil }
      let other = all[index + step]
      let titles = Language.translations.compactMap { language in
        other.translatedTitle(in: language).map { (language, $0) }
      }
      return .init(
        name: other.name, title: other.title,
        titles: Dictionary(titles) { first, _ in first },
        pages: Set(
          Language.allCases.filter { language in
            let page = other.folder.appending(path: language.indexFile)
            return FileManager.default.fileExists(atPath: page.path(percentEncoded: false))
          }))
    }
    return PageSurroundings(
      package: package, source: "\(sources.lastPathComponent)/\(notebook.name)/main.swift",
      wayToPackage: PageSurroundings.way(from: folder, to: package), previous: neighbor(-1),
      next: neighbor(1))
  }
}
