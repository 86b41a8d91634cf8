import Literate
import Testing

struct MarkdownTextTests {
  @Test(arguments: [
    "plain", "*a* _b_ `c` ~~d~~ [e](f) ![g](h) <i> & &amp; | # $x$ \\ \\*", "1 \\", "<script>",
  ])
  func escapedTextIsPlainText(text: String) {
    var identifiers = Identifiers()
    let html: HTML = "<p>\(text)</p>\n"
    #expect(Markdown(escapedForMarkdown(text)).html(below: 1, &identifiers) == html)
  }

  @Test(
    arguments: [
      ("a", "```text\na\n```"), ("\na\n\n", "```text\na\n```"), ("``", "```text\n``\n```"),
      ("x ```` y", "`````text\nx ```` y\n`````"), ("\n", ""),
    ])
  func fences(text: String, expected: String) {
    #expect(fenced(text, as: "text") == expected)
  }

  @Test func quotations() {
    #expect(quoted(["a\nb", "", "```\nc\n\nd\n```"]) == "> a\n> b\n>\n> ```\n> c\n>\n> d\n> ```")
  }

  @Test(arguments: [
    ("a.png", "a.png"), ("a b(1)%.png", "a%20b%281%29%25.png"), ("ä/b", "%C3%A4/b"),
  ])
  func addresses(path: String, expected: String) {
    #expect(linkAddress(path) == expected)
  }
}
