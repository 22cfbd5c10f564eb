"""Addresses of machines, and passwords as applications keep them."""

import base64
import hashlib
from random import Random

from bench.estates.patterns import fill
from bench.estates.values.maker import Row, maker

SITES = ("orbelia", "kappeto", "tallmark", "fenwick-tools", "lumenara", "dorvik", "saltpan")
ENDS = ("com", "net", "org", "io", "co", "eu", "info", "shop", "dev")
PATHS = ("about", "products/42", "blog/2024/05/spring", "u/profile", "img/a7.png", "?ref=mail&id=9")


@maker("ipv4", "IP_ADDRESS")
def ipv4(row: Row, random: Random, argument: str) -> str:
    """Public mostly; private ones with the argument `private`."""
    if argument == "private":
        network = random.choice(("10.0", "192.168", "172.16"))
        return fill(f"{network}.1#.%#", random)
    return ".".join(str(random.randrange(1, 255)) for _ in range(4))


@maker("ipv6", "IP_ADDRESS")
def ipv6(row: Row, random: Random, argument: str) -> str:
    return "2001:db8:" + ":".join(f"{random.randrange(65536):x}" for _ in range(3)) + "::1"


@maker("ip_mixed", "IP_ADDRESS")
def ip_mixed(row: Row, random: Random, argument: str) -> str:
    return (ipv6 if random.random() < 0.3 else ipv4)(row, random, "")


@maker("ip_port", "IP_ADDRESS")
def ip_port(row: Row, random: Random, argument: str) -> str:
    return f"{ipv4(row, random, '')}:{random.choice((80, 443, 8080, 5432, 22))}"


@maker("cidr", tolerate="IP_ADDRESS", trap="a network, not an address of a machine")
def cidr(row: Row, random: Random, argument: str) -> str:
    return f"10.{random.randrange(256)}.{random.randrange(256)}.0/{random.choice((16, 22, 24))}"


@maker("netmask", tolerate="IP_ADDRESS", trap="subnet mask")
def netmask(row: Row, random: Random, argument: str) -> str:
    return random.choice(("255.255.255.0", "255.255.0.0", "255.255.252.0", "255.255.255.240"))


@maker("mac", "MAC_ADDRESS")
def mac(row: Row, random: Random, argument: str) -> str:
    """Pairs joined by the argument, a colon without one; `cisco` writes three groups."""
    digits = fill(">>>>>>>>>>>>", random)
    if argument == "cisco":
        return f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"
    joiner = {"": ":", "bare": ""}.get(argument, argument)
    return joiner.join(digits[i : i + 2] for i in range(0, 12, 2)).upper()


@maker("url", "URL")
def url(row: Row, random: Random, argument: str) -> str:
    scheme = random.choice(("https://", "https://www.", "http://"))
    return f"{scheme}{random.choice(SITES)}.{random.choice(ENDS)}/{random.choice(PATHS)}"


@maker("url_bare", "URL")
def url_bare(row: Row, random: Random, argument: str) -> str:
    return f"www.{random.choice(SITES)}.{random.choice(ENDS)}"


@maker("profile_url", "URL", tolerate="USERNAME")
def profile_url(row: Row, random: Random, argument: str) -> str:
    return f"https://www.linkedin.com/in/{row.person.handle}"


@maker("domain", tolerate="URL", trap="domain name without a scheme")
def domain(row: Row, random: Random, argument: str) -> str:
    return f"{random.choice(SITES)}.{random.choice(ENDS)}"


@maker("hostname", tolerate="URL", trap="host name of a machine")
def hostname(row: Row, random: Random, argument: str) -> str:
    return fill(
        random.choice(("srv-###", "db0%.prod.lan", "WS-^^-####", "node%#", "ap-fl%-##")), random
    )


@maker("user_agent", trap="browser's name with versions")
def user_agent(row: Row, random: Random, argument: str) -> str:
    version = (
        f"{random.randrange(90, 137)}.0.{random.randrange(4000, 7000)}.{random.randrange(200)}"
    )
    system = random.choice(("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Macintosh"))
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}"


@maker("path", trap="path on a server")
def path(row: Row, random: Random, argument: str) -> str:
    return random.choice(("/var/log/app", "/srv/data", "/index.php", "/api/v2/items")) + fill(
        "/###", random
    )


@maker("browser_version", trap="version shaped like an IPv4 address")
def browser_version(row: Row, random: Random, argument: str) -> str:
    return f"{random.randrange(90, 137)}.0.{random.randrange(1000, 7000)}.{random.randrange(200)}"


@maker("ip_version", trap="version of four small numbers, a valid IPv4 address")
def ip_version(row: Row, random: Random, argument: str) -> str:
    return ".".join(str(random.randrange(top)) for top in (12, 20, 10, 250))


@maker("semver", trap="version number")
def semver(row: Row, random: Random, argument: str) -> str:
    return f"{random.randrange(6)}.{random.randrange(30)}.{random.randrange(15)}"


@maker("oid", trap="object identifier with dots like an address")
def oid(row: Row, random: Random, argument: str) -> str:
    tail = ".".join(str(random.randrange(1, 40)) for _ in range(random.randrange(2, 6)))
    return f"1.3.6.1.{random.choice(('2.1', '4.1', '6.3'))}.{tail}"


@maker("snmp_short", trap="object identifier of four numbers")
def snmp_short(row: Row, random: Random, argument: str) -> str:
    return f"1.3.{random.randrange(1, 9)}.{random.randrange(1, 200)}"


WORDS = ("sommer", "Dragon", "liverpool", "trustno", "pa55", "hunter", "Monkey", "kraków", "azerty")


@maker("password", "PASSWORD")
def password(row: Row, random: Random, argument: str) -> str:
    """As typed: a word with digits and signs, or what a generator proposes."""
    if random.random() < 0.5:
        return random.choice(WORDS) + fill(
            random.choice(("##", "%###", "!#", "_####", "##!")), random
        )
    signs = "abcdefghkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!?$%&*#-_"
    return "".join(random.choices(signs, k=random.randrange(8, 15)))


@maker("bcrypt", "PASSWORD")
def bcrypt(row: Row, random: Random, argument: str) -> str:
    alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return f"$2{random.choice('aby')}$1{random.randrange(3)}$" + "".join(
        random.choices(alphabet, k=53)
    )


@maker("argon2", "PASSWORD")
def argon2(row: Row, random: Random, argument: str) -> str:
    salt, digest = _base64(random, 16), _base64(random, 32)
    return f"$argon2id$v=19$m=65536,t=3,p=4${salt}${digest}"


@maker("pbkdf2", "PASSWORD")
def pbkdf2(row: Row, random: Random, argument: str) -> str:
    return f"pbkdf2_sha256$600000${fill('$<$#<^$<$#', random)}${_base64(random, 32)}="


@maker("phpass", "PASSWORD")
def phpass(row: Row, random: Random, argument: str) -> str:
    return "$P$B" + fill("$<$#<^$<$#<$<^$#<$<#$<^$<$#<$", random)


@maker("md5_password", "PASSWORD")
def md5_password(row: Row, random: Random, argument: str) -> str:
    """A bare digest in a column that says password."""
    return hashlib.md5(random.randbytes(16), usedforsecurity=False).hexdigest()


@maker("sha1_password", "PASSWORD")
def sha1_password(row: Row, random: Random, argument: str) -> str:
    return hashlib.sha1(random.randbytes(16), usedforsecurity=False).hexdigest()


@maker("token", tolerate="PASSWORD", trap="random token of an interface or session")
def token(row: Row, random: Random, argument: str) -> str:
    return _base64(random, 24)


def _base64(random: Random, size: int) -> str:
    return base64.b64encode(random.randbytes(size)).decode().rstrip("=")
