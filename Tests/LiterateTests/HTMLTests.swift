import Literate
import Testing

struct HTMLTests {
  @Test func textIsEscaped() {
    let text = #"<script src="x">'&amp;'</script>"#
    let html: HTML = "<p title=\"\(text)\">\(text)</p>"
    let escaped = "&lt;script src=&quot;x&quot;&gt;'&amp;amp;'&lt;/script&gt;"
    #expect(html.text == "<p title=\"\(escaped)\">\(escaped)</p>")
  }

  @Test func htmlAndNumbersAreNotEscaped() {
    let inner: HTML = "<b>\("a & b")</b>"
    let html: HTML = "<p>\(inner) \(42)</p>"
    #expect(html.text == "<p><b>a &amp; b</b> 42</p>")
  }

  @Test func piecesAreJoined() {
    let items = ["<", ">"].map { item -> HTML in "<li>\(item)</li>" }
    #expect(items.joined(separator: "\n").text == "<li>&lt;</li>\n<li>&gt;</li>")
    #expect([HTML]().joined() == "")
  }
}
