"""Messages as real programs write them, good ones and broken ones: {name: bytes}, with CRLF."""

import base64

PLAIN = ('Content-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: quoted-printable\n\n'
         'Hallo Gr=C3=BC=C3=9Fe\nzwei\n')
HTML = "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<p>Grüße</p>\n"
PDF = ('Content-Type: application/pdf; name="a b.pdf"\nContent-Transfer-Encoding: base64\n'
       'Content-Disposition: attachment; filename="a b.pdf"; size=12\n\nJVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoK\nAAAA\n')
PNG = ("Content-Type: image/png; name=image001.png\nContent-Transfer-Encoding: base64\n"
       "Content-ID: <image001.png@01D9>\nContent-Description: image001.png\n"
       'Content-Disposition: inline; filename="image001.png"; size=1234;\n'
       ' creation-date="Tue, 24 Nov 2026 10:00:00 GMT"\n\niVBORw0KGgo=\n')
ICS = ('Content-Type: text/calendar; charset="utf-8"; method=REQUEST\nContent-Transfer-Encoding: base64\n\n'
       "QkVHSU46VkNBTEVOREFS\n")

PARAMETERS = (
    'name*0="a long "; name*1="name.txt"', "name*=utf-8'de'%E2%82%AC.txt",
    "name*0*=utf-8''%E2%82%AC; name*1=abc; name*2*=%E2%82%AC", "name=x; name*=us-ascii''y", "name*1=b; name*0=a",
    "name*0*=''a%20; name*1*=b", 'NAME="q\\"uo\\\\te;.txt"', "name=unquoted name with spaces.txt",
    "name=a.txt;;; charset=utf-8;", 'name= "x" ; charset = utf-8', 'name="unterminated',
    "charset=us-ascii (Plain text)", 'charset=""', 'name="=?iso-8859-1?Q?=E4?= =?iso-8859-1?Q?=F6?="',
    "name=äöü.txt", "x=1; x=2", 'format=flowed; delsp=yes; charset="ISO-8859-15"', "name=Report (1).pdf; charset=utf-8")

ADDRESSES = (
    "<ann@example.org>", "Ann <ann@example.org>", '"Ann, B." <ann@example.org>', "ann@example.org (Ann Example)",
    "Ann (nick) Example <ann@example.org>", "undisclosed-recipients:;",
    'Team: a@x.org, "B" <b@x.org>;, c@y.org', "A@x.org, b@Y.org,,c@z.org", '"a b"@example.org',
    "John Q. Public <jqp@example.org>", "<@relay.org,@r2.org:a@x.org>", "a@[192.0.2.1]",
    "=?utf-8?q?J=C3=B6rg?= <j@x.org>", "Jörg <jörg@exämple.org>", "user@x.org <user@x.org>",
    '"user@x.org" <user@x.org>', "Foo, Bar <fb@x.org>", "a@x.org; b@y.org", "postmaster", "a @ x . org",
    "Bob [Sales] <b@x.org>", "Bob <b@x.org", "<>", "", "a@x.org\n (comment\n folded), b@y.org",
    '"esc \\"q\\" \\\\" <e@x.org>', "mailto:a@x.org", ".a..b@x.org", "info@x.de via List <list@x.org>",
    "Smith; John <j@x.org>", "Bob: Builder <bob@x.org>", "Ann <ann@example.org> (c), Bob <bob@x>")

CHARSETS = (("iso-8859-1", "Grüße"), ("windows-1251", "Привет"), ("koi8-r", "Привет"), ("shift_jis", "こんにちは"),
            ("iso-2022-jp", "こんにちは"), ("gb2312", "你好"), ("big5", "你好"), ("euc-kr", "안녕"), ("utf-8", "😀"),
            ("windows-1256", "سلام"), ("utf-16", "hi"))


def head(**fields):
    """A header up to its blank line; None leaves a field out."""
    fields = {"From": "Ann Example <ann@example.org>", "To": "alice@example.test", "Subject": "s",
              "Date": "Tue, 24 Nov 2026 10:00:00 +0100", "Message-ID": "<x@example.org>", "MIME-Version": "1.0",
              **{name.replace("_", "-"): value for name, value in fields.items()}}
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value is not None)


def part(kind, parts, boundary, extra="", preamble="", epilogue=""):
    body = "".join(f"\n--{boundary}\n{one}" for one in parts)
    return (f'Content-Type: multipart/{kind};\n boundary="{boundary}"{extra}\n\n{preamble}{body}'
            f"\n--{boundary}--\n{epilogue}")


def multi(kind, parts, boundary="b1", extra="", preamble="This is a multi-part message in MIME format.\n",
          epilogue="", **fields):
    return head(**fields) + part(kind, parts, boundary, extra, preamble, epilogue)


def message_part(message, fields=""):
    return f"Content-Type: message/rfc822\n{fields}\n{message}"


def from_programs():
    both = [PLAIN, HTML]
    yield "plain", head() + "\nhello\n"
    yield "no MIME", head(MIME_Version=None) + "\nhello\nworld\n"
    yield "empty body", head() + "\n"
    yield "no blank line", head()
    yield "Outlook", multi("mixed", [part("related", [part("alternative", both, "_000_A_"), PNG], "_004_B_",
                                          ';\n\ttype="multipart/alternative"'), PDF], "_006_AM0PR",
                           Thread_Topic="=?iso-8859-1?Q?Gr=FC=DFe?=", Content_Language="de-DE")
    yield "Apple Mail", multi("alternative", [
        "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain;\n\tcharset=utf-8\n\nhi=\n\n",
        part("related", ["Content-Transfer-Encoding: 7bit\nContent-Type: text/html;\n\tcharset=us-ascii\n\n<html>",
                         "Content-Disposition: inline;\n\tfilename*=utf-8''%C3%A4%20b.jpg\n"
                         'Content-Type: image/jpeg;\n\tname="=?utf-8?Q?=C3=A4_b=2Ejpg?="\n'
                         "Content-Transfer-Encoding: base64\nContent-Id: <AAA@home>\n\n/9j/4AAQ\n"],
             "Apple-Mail=_2")], "Apple-Mail=_1", preamble="")
    yield "Gmail", multi("mixed", [part("alternative", both, "0000b"),
                                   'Content-Type: application/zip; \n\tname="=?UTF-8?B?w6QuZG9jeA==?="\n'
                                   'Content-Disposition: attachment; filename="=?UTF-8?B?w6QuZG9jeA==?="\n'
                                   "Content-Transfer-Encoding: base64\nX-Attachment-Id: f_abc\n\nUEsDBA==\n"],
                         "0000a", preamble="")
    yield "Yahoo", multi("alternative", both, "----=_Part_123_456.789", preamble="")
    yield "Notes", multi("related", [part("alternative", both, "=_alternative 0038"), PNG], "=_related 0038")
    yield "TNEF", multi("mixed", [PLAIN, 'Content-Type: application/ms-tnef; name="winmail.dat"\n'
                                  "Content-Transfer-Encoding: base64\n\neJ8+\n"], "wm")
    yield "AppleDouble", multi("mixed", [PLAIN, part("appledouble", [
        'Content-Type: application/applefile; name="x"\nContent-Transfer-Encoding: base64\n\nAAUWBw==\n', PDF],
        "ad", ';\n\tx-mac-type="50444620"')], "ado")
    yield "invitation", multi("mixed", [part("alternative", [PLAIN, HTML, ICS], "alt"), ICS], "inv")
    yield "calendar only", head(Content_Type="text/calendar; method=REPLY; charset=UTF-8") + "\nBEGIN:VCALENDAR\n"
    yield "image only", head(Content_Type='image/jpeg; name="x.jpg"', Content_Transfer_Encoding="BASE64",
                             Content_Disposition="INLINE") + "\n/9j/\n"
    yield "list with footer", multi("mixed", [part("alternative", both, "lf"), "Content-Type: text/plain\n\n-- \nl\n"],
                                    "=====123==", Sender='"list" <list-bounces@example.org>',
                                    Reply_To="A list <list@example.org>")
    yield "many recipients", head(To=",\n ".join(f'"User {i}" <u{i}@example.org>' for i in range(200))) + "\nx\n"
    yield "long subject", head(Subject="word " * 20 + "\n " + "more " * 30 + "\n\tend") + "\nx\n"
    yield "quotes in the subject", head(Subject='say "hi" \\ back') + "\nx\n"
    yield "no subject", head(Subject=None) + "\nx\n"
    yield "all fields", head(Content_Type="text/plain; charset=us-ascii", Content_MD5="Q2hlY2sgSW50ZWdyaXR5IQ==",
                             Content_Language="en, de (German),fr", Content_Location="http://x/\n a",
                             Content_ID="<c@x>", Content_Description="=?utf-8?q?d=C3=A4?=") + "\nx\n"


def signed_and_reported():
    for name, last in (("message", message_part(head(Subject="lost") + "\nbody\nline\n")),
                       ("headers", "Content-Type: text/rfc822-headers\n\nReturn-Path: <a@b>\nSubject: x\n"),
                       ("alternative", message_part(multi("alternative", [PLAIN, HTML], "inner")))):
        yield f"DSN with {name}", multi(
            "report", [PLAIN, "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
                       "Final-Recipient: rfc822; nobody@example.com\nAction: failed\nStatus: 5.1.1\n", last],
            "4XyZ/mx", "; report-type=delivery-status", From="MAILER-DAEMON@mx.example.org (Mail Delivery System)")
    yield "MDN", multi("report", [PLAIN, "Content-Type: message/disposition-notification\n\nReporting-UA: x; y\n"],
                       "mdn", "; report-type=disposition-notification")
    yield "PGP", multi("signed", [part("mixed", [PLAIN, PDF], "pgpinner"),
                                  'Content-Type: application/pgp-signature; name="signature.asc"\n\n-----BEGIN\n'],
                       "pgp", ';\n micalg=pgp-sha512; protocol="application/pgp-signature"')
    yield "S/MIME", multi("signed", [PLAIN, 'Content-Type: application/pkcs7-signature; name="smime.p7s"\n'
                                     "Content-Transfer-Encoding: base64\n\nMIAGCSqGSIb3\n"], "----ms0501",
                          '; protocol="application/pkcs7-signature"; micalg=sha-256')
    yield "S/MIME encrypted", head(Content_Type='application/pkcs7-mime; name="smime.p7m";\n smime-type=enveloped-data',
                                   Content_Transfer_Encoding="base64") + "\nMIAGCSqGSIb3DQEHA6CAMIACAQAx\n"


def nested():
    forward = head(Subject="deepest") + "\nbottom\n"
    for depth in range(8):
        forward = multi("mixed", [PLAIN, message_part(forward, "Content-Disposition: attachment\n")], f"f{depth}",
                        Subject=f"Fwd {depth}")
        yield f"forward {depth}", forward
    wrapped = head(Subject="core") + "\ncore\n"
    for depth in range(5):
        wrapped = head(Subject=f"wrap {depth}", Content_Type="message/rfc822") + "\n" + wrapped
        yield f"message in message {depth}", wrapped
    one, two = head(Subject="1") + "\none\n", multi("alternative", [PLAIN, HTML], "mmi", Subject="2")
    yield "two messages", multi("mixed", [message_part(one), message_part(two)], "tw")
    yield "digest", multi("digest", ["\n" + one, "\n" + two, "Content-Type: text/plain\n\nno message\n"], "dg")
    yield "list digest", multi("mixed", [PLAIN, part("digest", [message_part(one), message_part(two)], "==x=="),
                                         "Content-Type: text/plain\n\n____\n"], "==y==")


def broken():
    yield "boundary begins like another", multi("mixed", [part("alternative", [PLAIN, HTML], "abc.1"), PDF], "abc")
    yield "boundary of specials", multi("mixed", [PLAIN, PDF], "a'()+_,-./:=?b")
    yield "blanks behind boundaries", (head(Content_Type='multipart/mixed; boundary="x y"') + "\n--x y  \n" + PLAIN +
                                       "\n--x y--   \n")
    yield "epilogue", multi("mixed", [PLAIN], "ep", epilogue="epilogue\n--ep\nno part\n")
    yield "parts without a type", multi("mixed", ["Content-Disposition: attachment\n\nx\n", "\nonly body\n"], "mt")
    yield "no such type", head(Content_Type="text") + "\nx\n"
    yield "no type before the parameters", head(Content_Type="; charset=utf-8") + "\nx\n"
    yield "two types", head() + "Content-Type: text/html\nContent-Type: text/plain\n\nx\n"
    yield "fields twice", head() + "To: second@example.test\nSubject: again\nCc: a@b\nCc: c@d\n\nx\n"
    yield "inner not closed", (head(Content_Type="multipart/mixed; boundary=o") +
                               "\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n" + PLAIN + "\n--o\n" +
                               PDF + "\n--o--\n")
    yield "empty parts", multi("mixed", ["Content-Type: text/plain\n\n", "Content-Type: text/plain\n", ""], "em")
    yield "uuencode", head(Content_Transfer_Encoding="x-uuencode") + "\nbegin 644 x\n#0V%T\n`\nend\n"
    yield "encoded multipart", multi("mixed", [PLAIN], "cm", Content_Transfer_Encoding="quoted-printable")


def texts():
    for source in (from_programs, signed_and_reported, nested, broken):
        yield from source()
    for number, text in enumerate(PARAMETERS):
        yield f"parameters {number}", (head(Content_Type="text/plain; " + text,
                                            Content_Disposition="attachment; " + text.replace("name", "filename")) +
                                       "\nx\n")
    for number, text in enumerate(ADDRESSES):
        yield f"addresses {number}", head(To=text) + "\nx\n"


def messages():
    result = {name: text.encode().replace(b"\n", b"\r\n") for name, text in texts()}
    for charset, text in CHARSETS:
        raw = text.encode(charset)
        coded = base64.b64encode(raw).decode()
        result[f"encoded {charset}"] = (head(Subject=f"=?{charset}?B?{coded}?=", Content_Transfer_Encoding="base64",
                                             Content_Type=f"text/plain; charset={charset}") +
                                        f"\n{coded}\n").encode().replace(b"\n", b"\r\n")
        result[f"raw {charset}"] = (head(Content_Type=f"text/plain; charset={charset}").encode()
                                    .replace(b"\n", b"\r\n") + b"\r\n" + raw + b"\r\n")
    result["LF only"] = multi("mixed", [PLAIN, PDF], "lf").encode() + b"\r\n"
    return result
