"""Classify user agents: the family of tools, its kind, and any attack tool that is named.

The text is written by the caller, who may be an attacker: a family is never proof, work is bounded, and nothing raises.
A family has no version in it, so that an update is not a new family. Names count only where tools write them: as the name of a
product (``aws-cli/2.15``), after a known prefix (``exec-env/…``), in the release of a system (``Linux/6.6-kali``), or at the
beginning of a remark in brackets. A word inside another word or inside a host name does not count.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

Kind = Literal["console", "infrastructure", "sdk", "cli", "tool", "service", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The classification of a user agent.

    ``family``: a stable name without version, e.g. ``aws-cli``; ``other:`` and the first word if unknown; ``empty``.
    ``tool``: the part of the text from which the family was taken, printable, for people to read: ``aws-cli/2.15.30``.
    ``kind``: ``infrastructure`` is infrastructure as code and posture scanners; ``console`` includes browsers.
    ``attack``: the attack tool or distribution that the text names, else empty.
    """

    family: str
    tool: str
    kind: Kind
    attack: str = ""


_LONGEST = 1_024  # CloudTrail truncates user agents at this length
_LONGEST_NAME = 40
_DISTINCT = 16_384

_HOST = re.compile(r"(?:[a-z0-9-]+\.)+(?:amazonaws\.com(?:\.cn)?|aws\.internal|aws\.amazon\.com)")
_CONSOLE_HOST = re.compile(r"(?:[a-z0-9-]+\.)*(?:console|signin)\.")
# "S3Console/0.4, aws-internal/3 …": a page of the console, and the library that makes its calls.
_CONSOLE_PAGE = re.compile(r"[^,()]{1,60}, ?aws-internal/")
_CONSOLE_NAMES = re.compile(r"s3console|ec2consolefrontend|aws-?console")

_INFRASTRUCTURE = {
    "opentofu": ("opentofu",),  # before Terraform, whose provider it uses
    "terraform": ("terraform", "terraform-provider-aws", "terraform-provider-awscc", "hashicorp-terraform-exec", "terragrunt"),
    "pulumi": ("pulumi", "pulumi-aws", "pulumi-resource-aws"),
    "cdk": ("aws-cdk", "aws-cdk-cli", "cdk-cli", "cdk-toolkit"),
    "cloudformation": ("cloudformation",),
    "ansible": ("ansible", "ansible-core", "ansible-collection"),
    "crossplane": ("crossplane", "crossplane-provider-aws", "upbound-provider-aws", "provider-aws"),
    "serverless": ("serverless", "aws-sam-cli"),
    "prowler": ("prowler", "apn_1826889"),  # Prowler's number in AWS's partner programme
    "scoutsuite": ("scoutsuite", "scout suite", "scout2"),
    "steampipe": ("steampipe", "steampipe-plugin-aws", "turbot-steampipe", "powerpipe"),
    "cloud-custodian": ("cloudcustodian", "cloud-custodian", "custodian", "c7n"),
    "cloudquery": ("cloudquery", "cloudquery-plugin-aws"),
    "cloudsploit": ("cloudsploit",),
    "checkov": ("checkov",),
    "datadog": ("datadog", "datadog-agent"),
    "lacework": ("lacework",),
    "prisma-cloud": ("prismacloud", "prisma-cloud"),
    "wiz": ("wiz", "wiz-scanner"),
}
_CLIENTS = {
    "aws-cli": ("aws-cli", "aws-shell"),
    "powershell": ("awspowershell", "awspowershell.netcore", "awspowershell.common", "aws-tools-powershell"),
}
_PROGRAMS = {  # programs built on an SDK that state their own name
    "amazon-ssm-agent": ("amazon-ssm-agent",),
    "amazon-cloudwatch-agent": ("cwagent", "amazon-cloudwatch-agent"),
    "eksctl": ("eksctl",),
    "kubernetes": ("kubernetes", "cluster-autoscaler", "karpenter.sh", "elbv2.k8s.aws", "aws-ebs-csi-driver"),
}
_TOOLS = {
    "curl": ("curl", "libcurl"),
    "wget": ("wget",),
    "python-requests": ("python-requests",),
    "python-urllib": ("python-urllib", "python-urllib3", "python-httplib2"),
    "python-httpx": ("python-httpx",),
    "python-aiohttp": ("aiohttp",),
    "go-default": ("go-http-client",),
    "java-default": ("java", "okhttp", "apache-httpclient", "jersey"),
    "node-default": ("node", "node-fetch", "axios", "undici"),
    "postman": ("postmanruntime",),
}
# Programs for buckets state their own name first, and after it the SDK that they are built on.
_BUCKET_TOOLS: dict[str, tuple[str, ...]] = {
    "s3-client": ("s3cmd", "rclone", "cyberduck", "s5cmd", "winscp", "s3browser", "s3-browser")
}
_SDKS = {
    "android": "java",
    "cpp": "cpp",
    "dotnet": "dotnet",
    "go": "go",
    "java": "java",
    "js": "js",
    "kotlin": "kotlin",
    "net": "dotnet",
    "nodejs": "js",
    "php": "php",
    "python": "python",
    "react-native": "js",
    "ruby": "ruby",
    "rust": "rust",
    "swift": "swift",
}
_SDK = re.compile(rf"aws-sdk-({'|'.join(sorted(_SDKS, key=len, reverse=True))})(?:-?v?\d+|-[a-z0-9]+)?")
_OTHER_SDKS = {"boto3": ("boto3",), "botocore": ("botocore", "aiobotocore"), "boto": ("boto",), "rusoto": ("rusoto",)}
# The most specific first: Terraform and the AWS CLI also name the SDK that they are built on.
_BEFORE_SDKS: tuple[tuple[Kind, dict[str, tuple[str, ...]]], ...] = (
    ("infrastructure", _INFRASTRUCTURE),
    ("cli", _CLIENTS),
    ("tool", _PROGRAMS),
)

_DISTRIBUTIONS = "kali|parrot|pentoo|blackarch|backbox|athena-os"
_ATTACK_TOOLS = (
    "aws_consoler|awspx|barq|cloudbrute|cloudfox|dirbuster|enumerate-iam|ffuf|gobuster|grimoire|masscan|metasploit|nessus"
    "|nikto|nimbostratus|nmap|nuclei|pacu|peirates|quiet-riot|s3scanner|skyark|sqlmap|stratus-red-team|trufflehog|weirdaal"
    "|wpscan|zgrab"
)
_ATTACK_TOOL = re.compile(rf"(?<![^\s;(,\[])(?:(?:exec-env|app|lib)[/#])?({_ATTACK_TOOLS})(?![^\s;),/_#\]])")
# The distribution is part of the kernel release ("5.15.0-kali3-amd64", "6.5.0-13parrot1"), or follows the Python version.
_SYSTEM = re.compile(r"(?:linux/|os/linux[#/]|exe/|source/|exec-env/|(?:md/)?distrib#|(?:md/)?installer#)(\S{1,200})")
_DISTRIBUTION = re.compile(rf"(?<![a-z])({_DISTRIBUTIONS})(?![a-z])")
_DISTRIBUTION_REMARK = re.compile(rf"[(;]\s?({_DISTRIBUTIONS})(?![^\s;)/])")
_DOMAIN = re.compile(r"\.(?:com|net|org|io|local|internal|lan|corp|home|dev|example|test|localdomain)$")

_REMARK = re.compile(r"\([^()]*\)")
# Names of two words, which are written as one before the text is cut into words.
_TWO_WORDS = (("scout suite", "scoutsuite"), ("s3 browser", "s3browser"))
_PRODUCT = re.compile(r"[^/#\s,;]{1,80}")
_VERSION = re.compile(r"[-_.+]?v?\d+(?:\.\d+)+.*|[-_.+]v?\d+$|[-_.+:]?[0-9a-f]{8}(?:-?[0-9a-f]{4}){2,}.*|[-_.+]?\d{5,}.*")
_UNNAMED = re.compile(r"[^a-z0-9._+-]")


def describe(user_agent: str | None) -> Agent:
    """Classify a user agent; any text is accepted, and results are cached.

    Args:
        user_agent: CloudTrail's userAgent as written, of which the first 1,024 characters are examined.
    """
    return _describe((user_agent or "")[:_LONGEST])


@lru_cache(maxsize=_DISTINCT)
def _describe(written: str) -> Agent:
    text = written.strip().removeprefix("[").removesuffix("]").strip()
    lowered = text.lower()
    found = _attack(lowered)
    agent = _service(lowered) or _product(lowered) or _browser(lowered) or _unknown(text, found)
    # Next to an attack tool, a browser must not count as the console, whose automatic calls are disregarded.
    kind: Kind = "tool" if found and agent.kind == "console" else agent.kind
    return replace(agent, kind=kind, attack=found)


def _attack(lowered: str) -> str:
    if tool := _ATTACK_TOOL.search(lowered):
        return tool.group(1)
    for system in _SYSTEM.finditer(lowered):
        word = system.group(1)
        if not _DOMAIN.search(word) and (distribution := _DISTRIBUTION.search(word)):
            return distribution.group(1)
    remark = _DISTRIBUTION_REMARK.search(lowered)
    return remark.group(1) if remark else ""


def _service(lowered: str) -> Agent | None:
    """Return the agent for a text that AWS itself writes: a service's host name, the console, or AWS's internals."""
    if _HOST.fullmatch(lowered):
        if _CONSOLE_HOST.match(lowered):
            return Agent(family="console", tool=_shown(lowered), kind="console")
        if lowered.startswith("cloudformation."):
            return Agent(family="cloudformation", tool=lowered, kind="infrastructure")
        return Agent(family=_shown(lowered), tool=_shown(lowered), kind="service")
    if _CONSOLE_NAMES.match(lowered) or _CONSOLE_PAGE.match(lowered):
        return Agent(family="console", tool=_shown(lowered.partition(",")[0]), kind="console")
    if lowered == "aws internal" or lowered.startswith("aws-internal/"):
        return Agent(family="aws-internal", tool="aws-internal", kind="service")
    return None


def _product(lowered: str) -> Agent | None:
    """Return the agent for the most specific product that the text names."""
    plain = _REMARK.sub(" ", lowered)
    for name, joined in _TWO_WORDS:
        plain = plain.replace(name, joined)
    words = [word.removeprefix("app/").removeprefix("lib/") for word in plain.split()]
    names = {_name(word): word for word in reversed(words)}
    for kind, families in _BEFORE_SDKS:
        if agent := _named(kind, families, names):
            return agent
    # In any later place, "java" or "node" is only the platform that a program runs on.
    first = {_name(word): word for word in words[:1]}
    if agent := _named("tool", _BUCKET_TOOLS, first):
        return agent
    return _sdk(names) or _named("sdk", _OTHER_SDKS, names) or _named("tool", _TOOLS, first)


def _named(kind: Kind, families: dict[str, tuple[str, ...]], names: dict[str, str]) -> Agent | None:
    for family, spellings in families.items():
        for name in spellings:
            if name in names:
                return Agent(family=family, tool=_shown(names[name]), kind=kind)
    return None


def _name(word: str) -> str:
    found = _PRODUCT.match(word)
    return found.group() if found else ""


def _sdk(names: dict[str, str]) -> Agent | None:
    for name, word in reversed(names.items()):
        if found := _SDK.fullmatch(name):
            return Agent(family=f"aws-sdk-{_SDKS[found.group(1)]}", tool=_shown(word), kind="sdk")
    return None


def _browser(lowered: str) -> Agent | None:
    if _name(lowered) not in {"mozilla", "opera"}:
        return None
    # Programs that identify themselves write "(compatible; …)".
    program = lowered.partition("(")[2].startswith("compatible;")
    return Agent(family="browser", tool="browser", kind="other" if program else "console")


def _unknown(text: str, attack: str) -> Agent:
    if attack:
        return Agent(family=attack, tool=_shown(text.partition(" ")[0]), kind="tool")
    first = text.partition(" ")[0]
    name = _UNNAMED.sub("", _VERSION.sub("", _name(first.lower()))).strip("._+-")[:_LONGEST_NAME]
    if name:
        return Agent(family=f"other:{name}", tool=_shown(first), kind="other")
    # Nothing is left without the version: the word was "-", an ID, or letters that no tool uses.
    return Agent(family="other:unnamed" if text.strip("-") else "empty", tool=_shown(first), kind="other")


def _shown(text: str) -> str:
    """Return the printable ASCII characters among the first forty characters of a text."""
    return "".join(letter for letter in text[:_LONGEST_NAME] if "!" <= letter <= "~" or letter == " ").strip()
