import Foundation

/// The path of a file as it stands in a link: `a b(1).png` becomes `a%20b%281%29.png`.
package func linkAddress(_ path: String) -> String {
  // Brackets would end a link in Markdown.
  let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "()"))
  return path.addingPercentEncoding(withAllowedCharacters: allowed) ?? path
}
