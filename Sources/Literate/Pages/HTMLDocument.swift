import Foundation

/// A file of HTML that needs no other file: the style sheet is inside, scripts and requests are
/// forbidden.
func htmlDocument(title: String, body: HTML) -> String {
  let style = HTML(trusted: String(decoding: PackageResources.page_css, as: UTF8.self))
  let document: HTML = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
    <title>\(title)</title>
    <link rel="icon" href="data:,">
    <style>
    \(style)</style>
    </head>
    <body>
    \(body)
    </body>
    </html>

    """
  return document.text
}
