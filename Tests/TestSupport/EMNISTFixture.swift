import Digests
import Foundation
import Lab

/// A `matlab.zip` in NIST's layout, with 612 training and 308 test images.
///
/// Image `n` of class `c` has one bright pixel, `c + 1`, at row `n % 28` of column 0 once it is
/// upright. There are 30 training and 10 test images of each digit, 6 and 4 of each letter.
///
/// ```python
/// def split(counts, seed):
///     y = np.random.RandomState(seed).permutation(np.repeat(np.arange(62), counts)).astype(np.uint8)
///     x, n = np.zeros((len(y), 28, 28), np.uint8), np.arange(len(y))
///     x[n, 0, n % 28] = y + 1
///     return {"images": x.reshape(-1, 784), "labels": y.reshape(-1, 1)}
/// train, test = split([30] * 10 + [6] * 52, 1), split([10] * 10 + [4] * 52, 2)
/// savemat(f, {"dataset": {"train": train, "test": test, "mapping": …}}, do_compression=True)
/// ```
package enum EMNISTFixture {
  package static let zip = Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data()

  /// Writes the archive and metadata for it into a data folder.
  package static func install(in folder: TemporaryFolder, bytes: Data = zip) throws {
    try folder.write(bytes, to: "archive/matlab.zip")
    let sum = try SHA256.hexadecimal(of: folder.url.appending(path: "archive/matlab.zip"))
    try folder.writeMetadata(
      "emnist", filename: "matlab.zip", sha256: sum,
      urls: ["file://\(folder.url.path(percentEncoded: false))/archive/matlab.zip"])
  }

  private static let base64 = """
    UEsDBBQAAAAAAAAAIQDRwl7YCwAAAAsAAAAXAAAAbWF0bGFiL2VtbmlzdC1tbmlzdC5tYXRhbm90aGVyIG9uZVBLAw
    QUAAAAAAAAACEAwrDspIIQAACCEAAAGQAAAG1hdGxhYi9lbW5pc3QtYnljbGFzcy5tYXRNQVRMQUIgNS4wIE1BVC1m
    aWxlIFBsYXRmb3JtOiBwb3NpeCwgQ3JlYXRlZCBvbjogTW9uIE5vdiAyMyAwNzoxODo1MyAyMDI2AAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFJTQ8AAAD6DwAAeJzt21eyJGdaBuCsLH+8
    9957783EDN6bwc8VLdRIDZIQ3Q0CgoXMLiCCTbAElsIl1VJrNCKiXhEZaK6eJ1TR6vN1ZeXvvt9knZGiKP5ydLBo9f
    7s9F5l8ZXm+7/Xfu7V7r0+fPH2xZuXb3vxxs/ic73X29cvXn327s+Xb96+e/+nLz7//NVnHxUjvf//+Cft/9P1v/r5
    t6/76tMXH718UxSfvPjg5Se9P794/erty9dvvrzu5z/+5rrd/3XdD3sfNFb/5rrvPveHvX9/WPS3HGKtEBsIsfEQOw
    2xzRBbDLFuiJUhNhViqyHWDLGlEFsIsbMQ61SM3YVYKkMtxPq+bze8aS7ENkJsPcQeQ+w+xI5DbCvEZkNsPsSeQywN
    lNRxR0Ms1Uu65nnF902G2EmItUOs3i/QCG+aCLH0vpQ9tkMsdYh0zVTw1JGqfl4qe2qglCF+EGJVZ43hEEt1lrJc34
    7Us9cvcBPelColjaC+H1bkCkvTSaU0/R2xlKnT+65DLHXAoxBL9XIRYqleUkdKgyjNbunz+pYvFSBVZurRaS2QppqR
    EEvpPTVQqrB0n2l9mNZIqfHS56X3XVV8X7rPtOZMs81OiPUtXxrNqVLSfJ8K/hBiaS13G2JpdFWNpY6bstxBiKX6TN
    PeUIg9hVjqZFWXO+k++66pU2WmDpgW6SlNV+24qVJSx02VksqeGigt0tPnVZ0uU72knW6aNVI7zFS8Zt+lVxp5Vdce
    qaJTAVLnTJuQNJpTtkqbgqqZM91nKl+qs7Q0STvW9Hnp6CotW1LZ+x4lpSkqzb9pyhgLsbTjSR03VXQ6z0tZJ51NpZ
    GejkyqTjUpW6Uda5pKU32m9quaVfsmrFTRqWFTlksVna6Zzt7SjjVVWOpkaxVj6bghneddhlg6l0sNm7JV6mRp2hsM
    sZQB+7Z7usnUo9MJ/H6IpQpLU03V9VrquGnXlnaz6QlDupdUZ+l9qewpq6b7TLvn1CdSVu27k09zbCpcaqCU5dLUlh
    bwKZbuM62tVkIsNUKaSlMWSFkuHRuk5UfK4mmwp7V4GmApi/c9FlkLb0pTVJr2UoWlxkuFq/qcMb2v6mI77RLTtJcG
    WOq46V5Skkjlq3pQmw7v+74v3WTqtangaQdZtTLTaE6bl/RkIk1RadeWdrNrIZYGbbqX1DnTlJjqJWXA1A5peu7bqV
    NKTYu89GFplKTCpZ1SmobSNat+SyE1ejojTFkgrXHTsUE6aklrzlSGtFRIy510L33Ll3ptatiqO8iUHVNFp2umRk9r
    slSGdM2qnTqtY1MHTLvSNKDTLJWyauqAqR36ZrLp8KaqU026Zip4KkBq2LRGSruh9Ny26uOa1FmqngOmwVf1dKDqNz
    tSh+97HJYWxumCaZGeFr+pcGkEpYKnKb/qOVKqlzRQ0lqu6iO19JWkNPjSeq1qVk2bur6756oPdFNFp6161e9wpY6U
    vv9UtZOl57bp89JTkvRVppTJ0jXT4Evrp9R+qXxrIdb3mCldMC3EU+Ol6SuN2FTRVb8Vkabuqt+lSxui1JFSh0iNXn
    WDUum4och1nd7Xt85Seq/aIap+bSUVIHWW9HnpmmlnVvXLgOle0ol/quuq52tVn5Kkc8dKJwdVH4ZW/RZrusn08Lxq
    46VOnc6R0r1UfbhcNSOlHXl6Nlv1XtJSIdVL38STGijdSNXf2KmaBdImJN1L1cdmVb/QmO4ldaSqv2uRdsFpvZ02Z6
    kd0m69b39JhUvf0Ki6vkjTbIql44bvo/GqnnpXPRpIAzMNhrTuSkuhdH6Y7iVlsr73mTpE6u1pB5kyYCpA2lan4420
    tqr6/C51sqpnUykbp8dmKTumnWe6z/R5qU+kwd5XWlCnRXOKpScFaVSm1J8+L1VY1SOTqscGaedZ9Zluqs+qZ4RVN2
    7pYLjSBat+06LqE/40glImS08mqn5lJ2WkNDBT2auuAVP2SGVIv6mV2rbqr8T1VXWnlD4sNfpaiKUGSmuItOWu+ls5
    KetU3dhU/W2lqr+rmr6DV7XsaZ0OAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwP+jkd
    7rp2VRtHp/dnqv7vufN9///cNerFZ89XqnfP+zg5369flsc39tvlWsFnvlVG3/dqS5US+muo2l2fHGVXv2arts1naf
    DwbOLtqDtVp7/qlTNpvr9bOydldvXG1cluVmpz5RtMrFle5RZ6vornV2251Wd7Szd7U13Sqnno4Ou0WjaA+0zsYetp
    pj9+3pobK2dNJuPBfNmdpgq1U2ap3Vk7uZxeG1Wqu+Pn4/UQ4Ol8udsjPULS8fi9bGUaeYuKmPl7u1+9roQNno7jWn
    uhfny53lm4XNVqNZ3D8uNeq1ybXG3eHebaO7sVJfHz2b7MzMNXZ6tfHwsH5TO2vfHLdaU53Bot6dOanX5mZm20Vzbn
    71crlbb3fO6/Xr9bXaeKvT7kw+dRonzdOb9urESTlSv3uszTaKoaIst5vTK2P1q9PGQ7H5vNA+fLxrnBa3B7072Gx1
    pxqN2nG9s98d7xzVB55WO+3myPZit7nSbB60WosjjcN2+7DVvdg4WtptXtbbi92Ndr17Md2r1IfnZqfb7Nae6lvt+n
    CzrJVFrV5vjLaL7mmteX45WCuPa7XRcmnuYnhmu730PF5bGThvts+6RedxZWSwtdkoFtZbrUavJA+P19t77cV2bah1
    ejrWqtcX9rpr9aK5MHdda+6PtFo797cTrc5kvX3QGDvZbzWWe3dTdOrtp5vRsuw0jm93tjrTw82B1kSnvFruNm+bk7
    PdRtHdme61crHdHStqB8fP15tz5cXWaqc1dDx0PlzMN8rdw/bd9cJ+Z2fyXVnmj+4bjbJd+7p//nfjm/45+B39s/dP
    i/9sfL9jBuAX4V3++6//qP8s/5Xvf/51/qsV385/zV4G/Prnc73Xq09ffPTyTVF88uKDl5/0/vzi9au3L1+/+fK6n/
    9bve+8f9W7wFj92/P+D3v/fjnc62qInYbYQcXYZYgdhdhaiO2F2FSI7YRYcRNiGyE2F2KLFT+vFmKPIZYqJlV2O8Q2
    Qyze6EqIpUqrh9hhiKUFxUOIpcJvVfy8bojF4FCIrYfYfYilAv4gxFJDpIZPldYMsfMQK3ZDbDjEUuHHQizl0FSI1B
    CpQm9DLOW0VogVTyGWuu9CiM2H2HiIpXSwFGKDIZaGdepNce9xEmJliKVKew6x1JvOQmw/xFJlz4ZYJ8RipU2GWLrR
    lEfScBkJsZTT0r2shVjK2ek+4/CcDrE07aZY1aSdljijIZZm5LTESb0+rRljy6cKTV37LsTSUiUVIg2XNATTRDcQYi
    lPVt4RpMq+DrGUJ1OlpTyZZvKZEEtDN/X6WNup8Ol9xxXfdxFiaV2YemH6vDR7pl1NzBVpjZNm3TR0U7dPyTddM1V2
    mpHXQizVS+UtSEr2aSGarpmG0lWIbYdYWhemhkjvq3ySkXphms3SzaSdRMp3aTGdKjv1wnQIEKfWNAumXjERYmnJkV
    b9aUuXZvk0klKnSKMldu2UfFPFVJ3N0gFBasA0I6cZMh0bpZ4dp/I05tM2KhUiXTMN+TSTpwkk7TLShj2t7+LYTUuH
    tN9LW560vks9O83WaXmQen3VdWHsFVXXcGnopryVFpRpmKUj9HQvKTWlslc+Yk5ro9QQaTZLx1RpuKRZMJ31p/Kl9B
    O7b2rBtN9LvSItGlMDptOYNHRTvkvXjBv2qluQqsk3tW5KzOm0IvWm1Our7kDi/islytQr0tBN03xai6VYmrDSEVZ6
    X0oVcTuUWimtwtM10/FzWoulQlRNFamnpTLEi6YCpmk+5Yq1EKu6v0zbrzTMUtnj8Ex7z7RCT+dw6SQj5Z/0eSn3ph
    5T9TlrGmVxmKWbSSewaS+YJpeUJ9P7UgHT/jL10LSeBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgF+Ykd7r41pRtHp/dn
    qv7vufN9///aoX6/335eud8v3Plq6Lzs7j8cTU8FJ3pLVysfW0Wyta9bOyszK3sr48OFSv7W1MrVzdbJ7crrWPug/7
    3UbtfrB5Mju71pqfLzbaw93j8mZ6fH756nymWcwtLM3uL5R3o3NPZXl7ddS+Oxhv1fbGa53n83JiYGr/+qC1NNYYLm
    Zr3YHNsWK6Pbx4OfJweL+63b0o6s+N5dPn9UbjvDk9ujh4s7b+WEwO3V4OFocP9+Xd4t7eSP1prX3ZGLq9Ou7sTFwP
    PW7Vu6u7raIcWF49mGnVz7fmpmrNhf3T4+2jmdFmbfdwc/PmfqZzvTPdPR27bHWeW+PbzdpGp31wMtmqNybP2mWj2z
    lbbZ+eHE42th4mmkfNTn10e6Nz1qzXmxcD6wsjY7t3jZ2n7vxF+7Fs1xa/ru+flt/U9+B31HfjXfuU328fgK+965//
    XvTPBz8ovsoBP58P/vXd/9TKeqPZane6A4NDwyOjY+MTk1PTM7Nz8wuLS8srq2vrG5tb2zu7e/sHh0fHJ6dn5xeXV9
    c3t3f3D49Pz9/87Ue/9Mu/8qu/9uu/8Zu/9du/87u/9/t/8Ic//qM//pM//bM//4ufvPjgrz58+dcfffzqb/72k08/
    +7vP//71m7f/8I9f/NM//8u7j/8ffu/ok1BLAQIUAxQAAAAAAAAAIQDRwl7YCwAAAAsAAAAXAAAAAAAAAAAAAACAAQ
    AAAABtYXRsYWIvZW1uaXN0LW1uaXN0Lm1hdFBLAQIUAxQAAAAAAAAAIQDCsOykghAAAIIQAAAZAAAAAAAAAAAAAACA
    AUAAAABtYXRsYWIvZW1uaXN0LWJ5Y2xhc3MubWF0UEsFBgAAAAACAAIAjAAAAPkQAAAAAA==
    """
}
