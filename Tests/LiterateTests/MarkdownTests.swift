import Literate
import Testing

struct MarkdownTests {
  private func html(_ text: String) -> String {
    var identifiers = Identifiers()
    return Markdown(text).html(below: 2, &identifiers).text
  }

  @Test(
    arguments: [
      ("*a* and `b < c`", "<p><em>a</em> and <code>b &lt; c</code></p>\n"),
      ("two\nlines", "<p>two lines</p>\n"),
      ("~~no~~", "<p><del>no</del></p>\n"),
      ("a \"word\" -- it's", "<p>a “word” – it’s</p>\n"),
      (
        "https://example.org/?a&b",
        """
        <p><a href="https://example.org/?a&amp;b">https://example.org/?a&amp;b</a></p>

        """
      ),
      ("# A b", "<h3 id=\"a-b\">\nA b\n</h3>\n"),
      ("#### A *b* `c`", "<h4 id=\"a-b-c\">\nA <em>b</em> <code>c</code>\n</h4>\n"),
      (
        "```swift\nlet x\n```",
        """
        <pre class="code"><code><span class="keyword">let</span> x
        </code></pre>

        """
      ),
      ("```sh\nls <\n```", "<pre><code class=\"language-sh\">ls &lt;\n</code></pre>\n"),
    ])
  func marks(text: String, expected: String) {
    #expect(html(text) == expected)
  }

  @Test(
    arguments: [
      ("a <b>c</b>", "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n"),
      ("<script>\nalert(1)\n</script>", "<p>&lt;script&gt;\nalert(1)\n&lt;/script&gt;</p>\n"),
      ("[a](javascript:alert(1))", "<p><a href=\"\">a</a></p>\n"),
      (
        "![a *b*](https://example.org/c.png)",
        """
        <p><a href="https://example.org/c.png">a <em>b</em></a></p>

        """
      ),
      ("[![a](b.png)](c.html)", "<p><a href=\"c.html\">a</a></p>\n"),
    ])
  func nothingIsExecutedOrFetched(text: String, expected: String) {
    #expect(html(text) == expected)
  }

  @Test func tablesCanBeScrolled() {
    let table = html("| a | b |\n| --- | ---: |\n| 1 | 2 |")
    #expect(table.hasPrefix("<div class=\"wide\" tabindex=\"0\">\n<table>"))
    #expect(table.contains("<td align=\"right\">2</td>"))
    #expect(table.hasSuffix("</table>\n</div>\n"))
  }

  @Test func headingsHaveUniqueIdentifiers() {
    var identifiers = Identifiers()
    let first = Markdown("# Data").html(below: 2, &identifiers)
    let second = Markdown("# Data").html(below: 2, &identifiers)
    #expect(
      [first.text, second.text] == [
        "<h3 id=\"data\">\nData\n</h3>\n", "<h3 id=\"data-2\">\nData\n</h3>\n",
      ])
  }

  // cmark-gfm has a global table of special characters.
  @Test func isThreadSafe() async {
    let different = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          (0..<200).count { _ in html("~~no~~") != "<p><del>no</del></p>\n" }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(different == 0)
  }

  @Test(
    arguments: [
      ("One *sentence*. And another.", "One sentence."),
      (
        "Over two\nlines, with 0.5 and e.g. this! Then more",
        "Over two lines, with 0.5 and e.g. this!"
      ),
      ("# Heading\n\nIs it? \"Yes.\"", "Is it?"),
      ("no full stop", "no full stop"),
      ("", ""),
    ])
  func firstSentences(text: String, expected: String) {
    #expect(Markdown(text).firstSentence == expected)
  }
}
