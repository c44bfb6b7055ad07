# ruff: noqa: E501
"""The torture messages of RFC 4475, by the names the RFC gives them. Lines end with CRLF on the wire."""

SDP = """v=0
o=mhandley 29739 7272939 IN IP4 192.0.2.3
s=-
c=IN IP4 192.0.2.4
t=0 0
m=audio 49217 RTP/AVP 0 12
m=video 3227 RTP/AVP 31
a=rtpmap:31 LPC
"""

_BASE = """Via: SIP/2.0/UDP host.example.com;branch=z9hG4bK{name}
To: sip:user@example.com
From: sip:caller@example.net;tag=134161461246
Max-Forwards: 7
Call-ID: {name}.0ha0isndaksdjasdf3234nas
"""


def _wire(text: str, body: str = "") -> bytes:
    return (text.replace("\n", "\r\n") + "\r\n").encode() + body.replace("\n", "\r\n").encode()


def _invite(name: str, start: str = "INVITE sip:user@example.com SIP/2.0", extra: str = "", **changes: str) -> bytes:
    head = _BASE.format(name=name) + "CSeq: 8 INVITE\nContact: <sip:caller@host5.example.net>\n"
    for old, new in changes.items():
        lines = [new if line.lower().startswith(old.replace("_", "-") + ":") else line for line in head.split("\n")]
        head = "\n".join(lines)
    return _wire(f"{start}\n{head}{extra}Content-Type: application/sdp\nContent-Length: 150\n", SDP)


WSINV = _wire(
    """INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
TO :
 sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: wsinv.ndaksdj@192.0.2.1
Content-Length   : 150
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =
      newvalue ;
  secondparam ; q = 0.33
""",
    SDP,
)

_INTERESTING = "!interesting-Method0123456789_*+`.%indeed'~"
_UNUSUAL = "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com"
INTMETH = _wire(
    f"""{_INTERESTING} {_UNUSUAL} SIP/2.0
Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~
To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>
From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%="работающий";tag=_token~1'+`*%!-.
Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/"][?}}{{
CSeq: 139122385 {_INTERESTING}
Max-Forwards: 255
extensionHeader-!.%*+_`'~:\ufeff大停電
Content-Length: 0
"""
)

_ESC01 = _wire(
    """INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0
To: sip:%75se%72@example.com
From: <sip:I%20have%20spaces@example.net>;tag=938
Max-Forwards: 87
i: esc01.239409asdfakjkn23onasd0-3234
CSeq: 234234 INVITE
Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw
C: application/sdp
Contact:
  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>
Content-Length: 150
""",
    SDP,
)

_ESCNULL = _wire(
    """REGISTER sip:example.com SIP/2.0
To: sip:null-%00-null@example.com
From: sip:null-%00-null@example.com;tag=839923423
Max-Forwards: 70
Call-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd
CSeq: 14398234 REGISTER
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
Contact: <sip:%00@host5.example.com>
Contact: <sip:%00%00@host5.example.com>
L:0
"""
)

_ESC02 = _wire(
    """RE%47IST%45R sip:registrar.example.com SIP/2.0
To: "%Z%45" <sip:resource@example.com>
From: "%Z%45" <sip:resource@example.com>;tag=f232jadfj23
Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf
Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234
CSeq: 29344 RE%47IST%45R
Max-Forwards: 70
Contact: <sip:alias1@host1.example.com>
C%6Fntact: <sip:alias2@host2.example.com>
Contact: <sip:alias3@host3.example.com>
l: 0
"""
)

_LWSDISP = _wire(
    """OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: caller<sip:caller@example.com>;tag=323
Max-Forwards: 70
Call-ID: lwsdisp.1234abcd@funky.example.com
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw
l: 0
"""
)

_LONG = "long" * 100
LONGREQ = _wire(
    f"""INVITE sip:user@example.com SIP/2.0
To: "I have a user name of {"extreme" * 20} proportion"<sip:user@example.com:6000;unknownparam1=very{_LONG}value;longparam{_LONG}name=shortvalue;very{_LONG}ParameterNameWithNoValue>
F: sip:{"amazinglylongcallername" * 10}@example.net;tag=12{"982424" * 50}424;unknownheaderparam{"name" * 30}=unknowheaderparam{"value" * 30};unknownValueless{"paramname" * 20}
Call-ID: longreq.one{"really" * 30}longcallid
CSeq: 3882340 INVITE
Unknown-{"Long" * 40}-Name: unknown-{"long" * 40}-value; unknown-{"long" * 40}-parameter-name = unknown-{"long" * 40}-parameter-value
Via: SIP/2.0/TCP sip33.example.com
v: SIP/2.0/TCP sip32.example.com
V: SIP/2.0/TCP sip31.example.com
Via: {", ".join(f"SIP/2.0/TCP sip{number}.example.com" for number in range(30, 0, -1))},
 SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=very{_LONG}branchvalue
Max-Forwards: 70
Contact: <sip:{"amazinglylongcallername" * 10}@host5.example.net>
Content-Type: application/sdp
l: 150
""",
    SDP,
)

_DBLREQ_FIRST = """REGISTER sip:example.com SIP/2.0
To: sip:j.user@example.com
From: sip:j.user@example.com;tag=43251j3j324
Max-Forwards: 8
I: dblreq.0ha0isndaksdj99sdfafnl3lk233412
Contact: sip:j.user@host.example.com
CSeq: 8 REGISTER
Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492
Content-Length: 0
"""
DBLREQ = _wire(_DBLREQ_FIRST) + _invite("dblreq")

_SEMIURI = _wire(
    """OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0
To: sip:j_user@example.com
From: sip:caller@example.org;tag=33242
Max-Forwards: 3
Call-ID: semiuri.0ha0isndaksdj
CSeq: 8 OPTIONS
Accept: application/sdp, application/pkcs7-mime,
        multipart/mixed, multipart/signed,
        message/sip, message/sipfrag
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw
l: 0
"""
)

_TRANSPORTS = _wire(
    """OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: <sip:caller@example.com>;tag=323
Max-Forwards: 70
Call-ID:  transports.kijh4akdnaqjkwendsasfdj
Accept: application/sdp
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw
Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf
Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj
Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en
Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee
l: 0
"""
)

_MPART_BODY = (
    b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\nHello\r\n"
    b"--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    + bytes(range(256))
    + b"\r\n--7a9cbec02ceef655--\r\n"
)
MPART01 = (
    _wire(
        f"""MESSAGE sip:kumiko@example.org SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport
Max-Forwards: 70
Route: <sip:127.0.0.1:5080>
Identity: r5mwreLuyDRYBi/0TiPwEsY3rEVsk/G2WxhgTV1PF7hHuLIK0YWVKZhKv9Mj8UeXqkMVbnVq37CD+813gvYjcBUaZngQmXc9WNZSDNGCzA==
Identity-Info: <https://example.com/cert>;alg=rsa-sha1
To: <sip:kumiko@example.org>
From: <sip:fluffy@example.com>;tag=2fb0dcc9
Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..
CSeq: 1 MESSAGE
Content-Transfer-Encoding: binary
Content-Type: multipart/mixed;boundary=7a9cbec02ceef655
Date: Sat, 15 Oct 2005 04:44:56 GMT
User-Agent: SIPimp.org/0.2.5 (curses)
Content-Length: {len(_MPART_BODY)}
"""
    )
    + _MPART_BODY
)

_RESPONSE = """Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
Call-ID: {name}.asndj203insdf99223ndf
CSeq: 35 INVITE
From: <sip:user@example.com>;tag=39ansfi3
To: <sip:user@example.edu>;tag=902jndnke3
Content-Length: 0
Contact: <sip:user@host105.example.com>
"""
UNREASON = _wire("SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое\n" + _RESPONSE.format(name="unreason"))
NOREASON = _wire("SIP/2.0 100 \n" + _RESPONSE.format(name="noreason"))

VALID = {
    "wsinv": WSINV, "intmeth": INTMETH, "esc01": _ESC01, "escnull": _ESCNULL, "esc02": _ESC02, "lwsdisp": _LWSDISP,
    "longreq": LONGREQ, "dblreq": DBLREQ, "semiuri": _SEMIURI, "transports": _TRANSPORTS, "mpart01": MPART01,
    "unreason": UNREASON, "noreason": NOREASON,
}  # fmt: skip

_REGISTER = """REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3
To: <sip:user@example.com>
From: <sip:user@example.com>;tag=239232jh3
"""

INVALID = {
    "badinv01": _invite(
        "badinv01", via="Via: SIP/2.0/UDP 192.0.2.15;;,;,,", contact='Contact: "Joe" <sip:joe@example.org>;;;;'
    ),
    "clerr": _wire(
        "INVITE sip:user@example.com SIP/2.0\n" + _BASE.format(name="clerr")
        + "CSeq: 8 INVITE\nContent-Type: application/sdp\nContent-Length: 9999\n",
        SDP,
    ),
    "ncl": _invite("ncl").replace(b"Content-Length: 150", b"Content-Length: -999"),
    "scalar02": _wire(
        _REGISTER
        + """CSeq: 36893488147419103232 REGISTER
Call-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32
Max-Forwards: 300
Expires: 10000000000000000000000000000000000000000000000000000
Contact: <sip:user@host129.example.com>
  ;expires=280297596632815
Content-Length: 0
"""
    ),
    "scalarlg": _wire(
        """SIP/2.0 503 Service Unavailable
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129
To: <sip:user@example.com>
From: <sip:other@example.net>;tag=2easdjfejw
CSeq: 9292394834772304023312 OPTIONS
Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r
Retry-After: 949302838503028349304023988
Warning: 1812 overture "In Progress"
Content-Length: 0
"""
    ),
    "quotbal": _invite("quotbal", to='To: "Mr. J. User <sip:j.user@example.com>'),
    "ltgtruri": _invite("ltgtruri", "INVITE <sip:user@example.com> SIP/2.0"),
    "lwsruri": _invite("lwsruri", "INVITE sip:user@example.com; lr SIP/2.0"),
    "lwsstart": _invite("lwsstart", "INVITE  sip:user@example.com  SIP/2.0"),
    "trws": _invite("trws", "OPTIONS sip:remote-target@example.com SIP/2.0  ", cseq="CSeq: 8 OPTIONS"),
    "escruri": _invite("escruri", "INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0"),
    "baddate": _invite("baddate", extra="Date: Fri, 01 Jan 2010 16:00:00 EST\n"),
    "regbadct": _wire(
        _REGISTER
        + """Max-Forwards: 70
Call-ID: regbadct.k345asrl3fdbv@10.0.0.1
CSeq: 1 REGISTER
Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E
l: 0
"""
    ),
    "badaspec": _invite("badaspec", to='To: "Watson, Thomas" < sip:t.watson@example.org >'),
    "baddn": _invite("baddn", from_="", **{"from": "From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"}),
    "badvers": _invite("badvers", "OPTIONS sip:t.watson@example.org SIP/7.0", cseq="CSeq: 8 OPTIONS"),
    "mismatch01": _invite("mismatch01", "OPTIONS sip:user@example.com SIP/2.0"),
    "mismatch02": _invite("mismatch02", "NEWMETHOD sip:user@example.com SIP/2.0"),
    "bigcode": _wire("SIP/2.0 4294967301 better not break the receiver\n" + _RESPONSE.format(name="bigcode")),
    "insuf": _wire(
        """INVITE sip:user@example.com SIP/2.0
CSeq: 193942 INVITE
Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf
Content-Type: application/sdp
l: 150
""",
        SDP,
    ),
    "multi01": _invite("multi01", extra="CSeq: 59 INVITE\nTo: sip:other@example.com\nFrom: sip:x@example.net;tag=3\n"),
    "mcl01": _invite("mcl01", extra="Content-Length: 5\n"),
}  # fmt: skip

APPLICATION = {
    "badbranch": _invite("badbranch", via="Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"),
    "unkscm": _invite("unkscm", "INVITE nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"),
    "novelsc": _invite("novelsc", "INVITE soap.beep://192.0.2.103:3002 SIP/2.0"),
    "unksm2": _wire(
        _REGISTER.replace("<sip:user@example.com>;tag", "<http://www.example.com>;tag").replace(
            "To: <sip:user@example.com>", "To: isbn:2983792873"
        )
        + "Max-Forwards: 70\nCall-ID: unksm2.daksdj@hyphenated-host.example.com\nCSeq: 234902 REGISTER\n"
        "Contact: <name:John_Smith>\nl: 0\n"
    ),
    "bext01": _invite("bext01", extra="Require: nothingSupportsThis, nothingSupportsThisEither\n"),
    "invut": _invite("invut").replace(b"application/sdp", b"application/unknownformat"),
    "regaut01": _wire(
        _REGISTER + "Max-Forwards: 70\nCall-ID: regaut01.0ha0isndaksdj\nCSeq: 9338 REGISTER\n"
        "Authorization: NoOneKnowsThisScheme opaque-data=here\nContent-Length:0\n"
    ),
    "bcast": _wire(
        """SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23
Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf
CSeq: 35 INVITE
From: sip:user@example.com;tag=11141343
To: sip:user@example.edu;tag=2229
Content-Length: 150
Content-Type: application/sdp
Contact: <sip:user@host28.example.com>
""",
        SDP,
    ),
    "zeromf": _invite("zeromf", "OPTIONS sip:user@example.com SIP/2.0", cseq="CSeq: 8 OPTIONS",
                      max_forwards="Max-Forwards: 0"),
    "cparam01": _wire(
        _REGISTER + "Max-Forwards: 70\nCall-ID: cparam01.70710@saturn.example.com\nCSeq: 2 REGISTER\n"
        "Contact: sip:+19725552222@gw1.example.net;unknownparam\nl: 0\n"
    ),
    "cparam02": _wire(
        _REGISTER + "Max-Forwards: 70\nCall-ID: cparam02.70710@saturn.example.com\nCSeq: 3 REGISTER\n"
        "Contact: <sip:+19725552222@gw1.example.net;unknownparam>\nl: 0\n"
    ),
    "regescrt": _wire(
        _REGISTER + "Max-Forwards: 70\nCall-ID: regescrt.k345asrl3fdbv@192.0.2.1\nCSeq: 14398234 REGISTER\n"
        "Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>\nL:0\n"
    ),
    "sdp01": _invite("sdp01", extra="Accept: text/nobodyKnowsThis\n"),
    "inv2543": _wire(
        """INVITE sip:UserB@example.com SIP/2.0
Via: SIP/2.0/UDP iftgw.example.com
From: <sip:+13035551111@ift.client.example.net;user=phone>
Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>
To: sip:+16505552222@ss1.example.net;user=phone
Call-ID: inv2543.1717@ift.client.example.com
CSeq: 56 INVITE
Content-Type: application/sdp
""",
        SDP,
    ),
}  # fmt: skip
