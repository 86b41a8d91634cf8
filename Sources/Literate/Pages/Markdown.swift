import CMarkdown
import Foundation
import Synchronization

/// Prose in GitHub-flavored Markdown: with tables, ~~strikethrough~~ and autolinks.
package struct Markdown: Sendable {
  package let text: String

  package init(_ text: String) {
    self.text = text
  }

  /// The prose as HTML that is safe for any text.
  ///
  /// HTML in the text is shown as text. Images become links, because pages make no requests. Headings
  /// get identifiers; fenced Swift code is highlighted.
  ///
  /// - Parameters:
  ///   - level: The level of the heading above the prose; headings in the prose are below it.
  ///   - identifiers: The identifiers used on the page so far.
  package func html(below level: Int, _ identifiers: inout Identifiers) -> HTML {
    html(below: level, &identifiers, in: .current(hasLastPassed: false))
  }

  /// The prose as HTML, in which the paths of files are links.
  ///
  /// - Parameters:
  ///   - level: The level of the heading above the prose; headings in the prose are below it.
  ///   - identifiers: The identifiers used on the page so far.
  ///   - place: Where the page is.
  func html(below level: Int, _ identifiers: inout Identifiers, in place: PagePlace) -> HTML {
    withDocument { document, extensions in
      // The parser ends a piece of text at each full stop.
      cmark_consolidate_text_nodes(document.pointer)
      for node in document.descendants {
        switch node.type {
        case "heading":
          let identifier = identifiers.next(for: node.plainText)
          let level = max(level + 1, Int(cmark_node_get_heading_level(node.pointer)))
          node.replace(with: CMARK_NODE_CUSTOM_BLOCK) {
            cmark_node_set_on_enter($0, "<h\(min(level, 6)) id=\"\(identifier)\">")
            cmark_node_set_on_exit($0, "</h\(min(level, 6))>")
          }
        case "table":
          node.wrap(in: "<div class=\"wide\" tabindex=\"0\">", "</div>")
        case "code_block" where node.fence == "swift":
          let code = HTML(highlighting: node.literal)
          node.replace(with: CMARK_NODE_CUSTOM_BLOCK) {
            cmark_node_set_on_enter($0, "<pre class=\"code\"><code>\(code.text)</code></pre>")
          }
        case "text" where !node.isInLink: node.linkPaths(place.address(ofFile:))
        case "code" where !node.isInLink:
          if let address = place.address(ofFile: node.literal) {
            let link = cmark_node_new(CMARK_NODE_LINK)
            cmark_node_set_url(link, address)
            cmark_node_replace(node.pointer, link)
            cmark_node_append_child(link, node.pointer)
          }
        case "link":
          let link = cmark_node_get_url(node.pointer).map { String(cString: $0) } ?? ""
          if let address = place.address(ofLink: link) {
            cmark_node_set_url(node.pointer, address)
          } else if place.isAlone, !link.hasPrefix("#"), !link.contains(":") {
            node.unwrap()
          }
        case "image" where node.isInLink: node.unwrap()
        case "image":
          let link = cmark_node_get_url(node.pointer).map { String(cString: $0) } ?? ""
          node.replace(with: CMARK_NODE_LINK) {
            cmark_node_set_url($0, place.address(ofLink: link) ?? link)
          }
        case "html_inline" where !node.literal.hasPrefix("<!--"):
          node.replace(with: CMARK_NODE_TEXT) { cmark_node_set_literal($0, node.literal) }
        case "html_block" where !node.literal.hasPrefix("<!--"):
          node.replace(with: CMARK_NODE_PARAGRAPH) {
            let text = cmark_node_new(CMARK_NODE_TEXT)
            cmark_node_set_literal(text, node.literal.trimmingCharacters(in: .newlines))
            cmark_node_append_child($0, text)
          }
        default: break
        }
      }
      return HTML(trusted: taken(cmark_render_html(document.pointer, options, extensions)))
    }
  }

  /// The first sentence of the first paragraph as plain text; empty if there is none.
  package var firstSentence: String {
    let paragraph = withDocument { document, _ in
      document.descendants.first { $0.type == "paragraph" }?.plainText ?? ""
    }
    let end = paragraph.firstRange(of: /[.!?](?=\s+[\p{Lu}\p{Lo}\p{N}"“(])/)?.upperBound
    return String(paragraph[..<(end ?? paragraph.endIndex)])
  }

  private func withDocument<Result>(
    _ body: (Node, UnsafeMutablePointer<cmark_llist>?) -> Result
  ) -> Result where Result: Sendable {
    // While parsing, cmark-gfm keeps the special characters of its extensions in a global table.
    cmark.withLock { _ in
      cmark_gfm_core_extensions_ensure_registered()
      let parser = cmark_parser_new(options)
      defer { cmark_parser_free(parser) }
      for name in ["table", "strikethrough", "autolink"] {
        cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension(name))
      }
      cmark_parser_feed(parser, text, text.utf8.count)
      let document = Node(pointer: cmark_parser_finish(parser))
      defer { cmark_node_free(document.pointer) }
      return body(document, cmark_parser_get_syntax_extensions(parser))
    }
  }
}

private let cmark = Mutex(())

/// Typographic quotation marks and dashes. Raw HTML is omitted by default.
private let options = CMARK_OPT_SMART | CMARK_OPT_NOBREAKS

/// Takes ownership of a C string.
private func taken(_ characters: UnsafeMutablePointer<CChar>?) -> String {
  guard let characters else { return "" }
  defer { free(characters) }
  return String(cString: characters)
}

/// A node of cmark's tree.
private struct Node {
  let pointer: OpaquePointer?

  /// The type, such as `heading`.
  var type: String { String(cString: cmark_node_get_type_string(pointer)) }

  var literal: String { cmark_node_get_literal(pointer).map { String(cString: $0) } ?? "" }

  /// The info string of a fenced code block.
  var fence: String { cmark_node_get_fence_info(pointer).map { String(cString: $0) } ?? "" }

  var plainText: String {
    var text = taken(cmark_render_plaintext(pointer, options, 0))
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }

  var isInLink: Bool {
    var above = cmark_node_parent(pointer)
    while above != nil, cmark_node_get_type(above) != CMARK_NODE_LINK {
      above = cmark_node_parent(above)
    }
    return above != nil
  }

  /// Makes links of the paths in a text.
  ///
  /// - Parameter address: The address of a file of this path; `nil` if there is none.
  func linkPaths(_ address: (String) -> String?) {
    let text = literal
    guard text.contains("/") else { return }
    var start = text.startIndex
    func addText(to end: String.Index) {
      guard start < end else { return }
      let piece = cmark_node_new(CMARK_NODE_TEXT)
      cmark_node_set_literal(piece, String(text[start..<end]))
      cmark_node_insert_before(pointer, piece)
    }
    for match in text.matches(of: /[\p{L}\p{N}_.+-]+(?:\/[\p{L}\p{N}_.+-]+)+/) {
      var path = match.0
      // The full stop ends the sentence.
      while path.last == "." { path.removeLast() }
      guard let address = address(String(path)) else { continue }
      addText(to: path.startIndex)
      let link = cmark_node_new(CMARK_NODE_LINK)
      cmark_node_set_url(link, address)
      let name = cmark_node_new(CMARK_NODE_TEXT)
      cmark_node_set_literal(name, String(path))
      cmark_node_append_child(link, name)
      cmark_node_insert_before(pointer, link)
      start = path.endIndex
    }
    guard start > text.startIndex else { return }
    addText(to: text.endIndex)
    cmark_node_unlink(pointer)
    cmark_node_free(pointer)
  }

  /// All nodes below in preorder, collected first so that they can be replaced.
  var descendants: [Node] {
    var found: [Node] = []
    let iterator = cmark_iter_new(pointer)
    defer { cmark_iter_free(iterator) }
    while true {
      switch cmark_iter_next(iterator) {
      case CMARK_EVENT_DONE: return found
      case CMARK_EVENT_ENTER: found.append(Node(pointer: cmark_iter_get_node(iterator)))
      default: break
      }
    }
  }

  /// Replaces this node by a new one with the same children.
  func replace(with type: cmark_node_type, _ fill: (OpaquePointer?) -> Void) {
    let new = cmark_node_new(type)
    fill(new)
    while let child = cmark_node_first_child(pointer) { cmark_node_append_child(new, child) }
    cmark_node_replace(pointer, new)
    cmark_node_free(pointer)
  }

  /// Replaces this node by its children.
  func unwrap() {
    while let child = cmark_node_first_child(pointer) { cmark_node_insert_before(pointer, child) }
    cmark_node_free(pointer)
  }

  func wrap(in opening: String, _ closing: String) {
    let wrapper = cmark_node_new(CMARK_NODE_CUSTOM_BLOCK)
    cmark_node_set_on_enter(wrapper, opening)
    cmark_node_set_on_exit(wrapper, closing)
    cmark_node_replace(pointer, wrapper)
    cmark_node_append_child(wrapper, pointer)
  }
}
