"""User agents: a stable family without version, its kind, and attack tools where such agents name them and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.catalog.agents import Agent, describe

BOTO = "md/Botocore#1.34.69 ua/2.0 os/linux#6.5.0 md/arch#x86_64 lang/python#3.11.8 cfg/retry-mode#legacy Botocore/1.34.69"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36"
TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.7.5 (+https://www.terraform.io) terraform-provider-aws/5.42.0 "
    "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.26.0 os/linux lang/go#1.21.8 api/iam#1.31.0"
)

FAMILIES = [
    ("aws-cli/1.18.136 Python/3.8.5 Darwin/19.5.0 botocore/1.17.59", "aws-cli", "cli"),
    ("[aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0 exe/x86_64.ubuntu.22 prompt/off command/ec2.describe-vpcs]", "aws-cli", "cli"),
    ("aws-cli/2.17.32 md/awscrt#0.21.2 ua/2.0 os/linux#5.15 md/arch#x86_64 md/command#iam.list-users", "aws-cli", "cli"),
    ("AWSPowerShell.Common/4.1.5 .NET_Core/6.0.1 OS/Linux PowerShellCore/7.-1 aws-sdk-dotnet-coreclr/3.7", "powershell", "cli"),
    (f"Boto3/1.34.69 {BOTO}", "boto3", "sdk"),
    ("Boto3/1.26.165 Python/3.10.6 Linux/5.19.0-46-generic Botocore/1.29.165", "boto3", "sdk"),
    ("Botocore/1.29.165 ua/2.0 os/linux#6.5", "botocore", "sdk"),
    ("aws-sdk-java/2.25.14 Linux/6.1 OpenJDK_64-Bit_Server_VM/21.0.2+13-LTS Java/21.0.2 vendor/Amazon", "aws-sdk-java", "sdk"),
    ("aws-sdk-go/1.44.157 (go1.19.3; linux; amd64)", "aws-sdk-go", "sdk"),
    ("aws-sdk-go-v2/1.26.0 os/linux lang/go#1.21.8 md/GOOS#linux api/sts#1.28.4", "aws-sdk-go", "sdk"),
    ("aws-sdk-nodejs/2.1500.0 linux/v18.19.0 promise", "aws-sdk-js", "sdk"),
    ("aws-sdk-js/3.540.0 ua/2.0 os/linux#6.5 lang/js md/nodejs#20.11.1 api/s3#3.540.0", "aws-sdk-js", "sdk"),
    ("aws-sdk-php/3.300.0 OS/Linux#6.5 lang/php#8.2 GuzzleHttp/7", "aws-sdk-php", "sdk"),
    ("aws-sdk-ruby3/3.191.0 ua/2.0 api/s3#1.146.0 os/linux#6 md/x86_64 lang/ruby#3.3.0", "aws-sdk-ruby", "sdk"),
    ("aws-sdk-rust/1.1.8 os/linux lang/rust/1.76.0", "aws-sdk-rust", "sdk"),
    ("aws-sdk-dotnet-coreclr/3.7.300 ua/2.0 os/linux", "aws-sdk-dotnet", "sdk"),
    (TERRAFORM, "terraform", "infrastructure"),
    ("aws-sdk-go/1.44.20 (go1.17.6; linux; amd64) APN/1.0 HashiCorp/1.0 Terraform/1.1.2", "terraform", "infrastructure"),
    ("APN/1.0 OpenTofu/1.0 OpenTofu/1.6.2 terraform-provider-aws/5.42.0 aws-sdk-go-v2/1.26.0", "opentofu", "infrastructure"),
    ("APN/1.0 Pulumi/1.0 PulumiAWS/6.25 aws-sdk-go-v2/1.26.0", "pulumi", "infrastructure"),
    ("aws-cdk-cli/2.130.0 aws-sdk-js/3.540.0", "cdk", "infrastructure"),
    ("cloudformation.amazonaws.com", "cloudformation", "infrastructure"),
    (f"APN/1.0 Ansible/2.16 Boto3/1.34.69 {BOTO}", "ansible", "infrastructure"),
    (f"Boto3/1.34.69 {BOTO} APN_1826889", "prowler", "infrastructure"),
    (f"Boto3/1.34.69 {BOTO} app/APN_1826889", "prowler", "infrastructure"),
    ("Scout Suite/5.13.0 (https://example.com)", "scoutsuite", "infrastructure"),
    ("steampipe-plugin-aws/0.130.0 aws-sdk-go-v2/1.26.0", "steampipe", "infrastructure"),
    (f"CloudCustodian/0.9.35 Boto3/1.34.69 {BOTO}", "cloud-custodian", "infrastructure"),
    ("console.amazonaws.com", "console", "console"),
    ("console.ec2.amazonaws.com", "console", "console"),
    ("signin.amazonaws.com", "console", "console"),
    ("[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10 java/1.8.0_372]", "console", "console"),
    ("RDS Console, aws-internal/3 aws-sdk-java/1.11.975 Linux/5.10 java/1.8.0_242", "console", "console"),
    (CHROME, "browser", "console"),
    ("Mozilla/5.0 (compatible; ExampleBot/1.0)", "browser", "other"),
    ("config.amazonaws.com", "config.amazonaws.com", "service"),
    ("AWS Internal", "aws-internal", "service"),
    ("aws-internal/3 aws-sdk-java/1.11.975 Linux/5.10", "aws-internal", "service"),
    ("curl/8.5.0", "curl", "tool"),
    ("python-requests/2.31.0", "python-requests", "tool"),
    ("Go-http-client/1.1", "go-default", "tool"),
    ("[S3 Browser/12.2.9 (https://s3browser.com)]", "s3-client", "tool"),
    ("S3 Browser 9.5.5 https://s3browser.com", "s3-client", "tool"),
    ("S3 Browser/12.2.9 (https://s3browser.com) aws-sdk-dotnet/3.7.300", "s3-client", "tool"),
    ("Cyberduck/8.7.1.40770 (Mac OS X/13.4) (x86_64) aws-sdk-java/1.12.488", "s3-client", "tool"),
    ("Super S3 Browser/1.0.1", "other:super", "other"),
    ("S3 Browsers/1.0.1", "other:s3", "other"),
    ("aws-sdk-dotnet/3.7.300 S3 Browser/12.2.9", "aws-sdk-dotnet", "sdk"),
    ("aws-sdk-go/1.44.1 (go1.19; linux; amd64) amazon-ssm-agent/", "amazon-ssm-agent", "tool"),
    ("ExampleBackup/3.2.1 (build 77)", "other:examplebackup", "other"),
    ("4f1c9a80-7be1-4b3c-9d2e-0a1b2c3d4e5f", "other:unnamed", "other"),
    (None, "empty", "other"),
    ("", "empty", "other"),
    (" - ", "empty", "other"),
]

ATTACKS = [
    ("aws-cli/1.22.34 Python/3.9.9 Linux/5.15.0-kali3-amd64 botocore/1.23.34", "kali"),
    ("aws-cli/2.15.30 Python/3.11.8 Linux/6.6.9-amd64 source/x86_64.kali.2024 prompt/off", "kali"),
    ("aws-cli/2.17.32 ua/2.0 os/linux#6.6.9 md/installer#source md/distrib#kali.2024 md/prompt#off", "kali"),
    ("Boto3/1.34.69 md/Botocore#1.34.69 os/linux#6.8.11-Kali-amd64 lang/python#3.11.8", "kali"),
    ("aws-cli/1.22.34 Python/3.9.9 Linux/6.5.0-13parrot1-amd64 botocore/1.23.34", "parrot"),
    ("aws-cli/1.22.34 Python/3.9.9 Linux/5.4.72-pentoo botocore/1.23.34", "pentoo"),
    ("aws-cli/2.15.30 exe/x86_64.blackarch.1", "blackarch"),
    ("Mozilla/5.0 (X11; Kali Linux; rv:115.0) Gecko/20100101 Firefox/115.0", "kali"),
    ("Pacu/1.5.3", "pacu"),
    (f"Boto3/1.34.69 {BOTO} exec-env/pacu", "pacu"),
    (f"Boto3/1.34.69 {BOTO} app/cloudfox", "cloudfox"),
    ("CloudFox", "cloudfox"),
    ("enumerate-iam/1.0", "enumerate-iam"),
    ("WeirdAAL", "weirdaal"),
    ("nimbostratus/0.1", "nimbostratus"),
    ("sqlmap/1.8#stable (https://sqlmap.org)", "sqlmap"),
    ("Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)", "nmap"),
    ("stratus-red-team_4f1c9a80-7be1-4b3c-9d2e-0a1b2c3d4e5f", "stratus-red-team"),
    (f"{TERRAFORM} stratus-red-team_4f1c9a80 HashiCorp-terraform-exec/0.17.3", "stratus-red-team"),
    ("aws-sdk-go-v2/1.32.3 os/linux exec-env/grimoire_4f1c9a80 api/sts#1.26.2", "grimoire"),
]

INNOCENT = [
    "pacunet/1.0",
    "opacu/1.0",
    "pacu.example.com",
    "pacu-proxy/2.0",
    "aws-cli/2.15.30 exec-env/kali.example.com",
    "aws-cli/2.15.30 Linux/6.5.0-alkaline-amd64",
    "aws-cli/2.15.30 Linux/6.5.0-kalimba-amd64",
    "kali/1.0",
    "ExampleShop/1.0 parrot",
    "example.com/nmap",
    "Mozilla/5.0 (compatible; https://sqlmap.example.com)",
    "aws-cli/2.15.30 command/kali.describe",
    TERRAFORM,
    CHROME,
]


@pytest.mark.parametrize(("text", "family", "kind"), FAMILIES)
def test_an_agent_has_its_family_and_kind(text: str | None, family: str, kind: str) -> None:
    agent = describe(text)
    assert (agent.family, agent.kind, agent.attack) == (family, kind, "")


@pytest.mark.parametrize(("text", "attack"), ATTACKS)
def test_an_attack_tool_is_found_where_agents_name_it(text: str, attack: str) -> None:
    assert describe(text).attack == attack


@pytest.mark.parametrize("text", INNOCENT)
def test_a_word_that_only_looks_like_an_attack_tool_is_none(text: str) -> None:
    assert describe(text).attack == ""


def test_an_attack_tool_is_never_taken_for_the_console() -> None:
    assert describe("Mozilla/5.0 (X11; Kali Linux; rv:115.0) Gecko/20100101 Firefox/115.0").kind == "tool"
    assert describe(f"{CHROME} sqlmap/1.8").kind == "tool"


def test_the_tool_is_what_an_analyst_wants_to_read() -> None:
    assert describe("aws-cli/2.15.30 Python/3.11.8") == Agent(family="aws-cli", tool="aws-cli/2.15.30", kind="cli")
    assert describe("Evil\x1b[31m\x00\u202eTool/1 x").tool == "Evil[31mTool/1"


VERSION = st.from_regex(r"\d{1,3}(\.\d{1,3}){1,3}", fullmatch=True)
PROGRAM = st.from_regex(r"[A-Za-z]{2,12}", fullmatch=True)


@given(st.sampled_from([text for text, *_ in FAMILIES if text and "/" in text]), st.lists(VERSION, min_size=1, max_size=4))
def test_another_version_is_no_other_family(text: str, versions: list[str]) -> None:
    words = text.split(" ")
    for number, word in enumerate(words):
        name, slash, rest = word.rstrip("]").partition("/")
        if slash and rest[:1].isdigit() and not name.startswith(("Mozilla", "[")):
            words[number] = f"{name}/{versions[number % len(versions)]}"
    assert describe(" ".join(words)).family == describe(text).family


@given(PROGRAM, VERSION, VERSION, st.sampled_from("/- _#"))
def test_another_version_of_an_unknown_program_is_no_other_family(name: str, first: str, second: str, between: str) -> None:
    assert describe(f"{name}{between}{first}").family == describe(f"{name}{between}{second}").family


@given(st.text(max_size=1_500) | st.text(alphabet="([a/# ;.-0kali", max_size=1_500))
def test_anything_is_described(text: str) -> None:
    agent = describe(text)
    assert agent.family
    assert agent.family.isascii()
    assert agent.family.isprintable()
    assert len(agent.tool) <= 40
    assert len(agent.family.removeprefix("other:")) <= 40


@given(st.text(max_size=200), st.text(min_size=1, max_size=50))
def test_what_is_beyond_the_limit_changes_nothing(text: str, beyond: str) -> None:
    longest = text.ljust(1_024, "x")
    assert describe(longest + beyond) == describe(longest)


@given(st.from_regex(r"[a-z]{0,6}(kali|pacu|parrot|nmap|sqlmap)[a-z]{1,6}", fullmatch=True))
def test_a_word_within_a_longer_word_is_no_attack_tool(word: str) -> None:
    for text in (f"{word}/1.0", f"aws-cli/2.15 Linux/6.5-{word}-amd64", f"aws-cli/2.15 exec-env/{word}"):
        assert describe(text).attack == ""
