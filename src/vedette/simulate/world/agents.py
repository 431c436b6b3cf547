"""Build user agents as the tools write them."""

_BOTO = (
    "md/Botocore#1.34.69 ua/2.0 os/linux#6.5.0-1018-aws md/arch#x86_64 lang/python#3.11.8 md/pyimpl#CPython cfg/retry-mode#legacy"
)

AGENTS = {
    "cli": "aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0-1018-aws exe/x86_64.ubuntu.22 prompt/off command/{command}",
    "cli-kali": "aws-cli/2.15.30 Python/3.11.8 Linux/6.6.9-amd64 source/x86_64.kali.2024 prompt/off command/{command}",
    "boto3": f"Boto3/1.34.69 {_BOTO} Botocore/1.34.69",
    "prowler": f"Boto3/1.34.69 {_BOTO} Botocore/1.34.69 APN_1826889",
    "terraform": "APN/1.0 HashiCorp/1.0 Terraform/1.7.5 (+https://www.terraform.io) terraform-provider-aws/5.42.0"
    " aws-sdk-go-v2/1.26.0 os/linux lang/go#1.21.8 md/GOOS#linux md/GOARCH#amd64 api/{service}#1.152.0",
    "sdk-java": "aws-sdk-java/2.25.14 Linux/6.1.79-99.167.amzn2023.x86_64 OpenJDK_64-Bit_Server_VM/21.0.2+13-LTS Java/21.0.2",
    "console": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36",
}


def user_agent(name: str, service: str, operation: str) -> str:
    """Return the user agent of a tool in ``AGENTS``; any other name, such as that of a service, is returned unchanged.

    Agents of tools that include the call contain it: ``command/ec2.describe-instances``.
    """
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("-")
    return AGENTS.get(name, name).format(command=f"{service}.{words}", service=service)
