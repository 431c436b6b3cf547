"""``vedette settings``: the settings in effect and where each comes from."""

import sys

from vedette.terminal.command import Command, ConfigOption, application

APPLICATION = application()
COMMAND = Command("settings", APPLICATION)


@APPLICATION.command("settings")
def settings(config: ConfigOption = None) -> None:
    """Print every setting with its value and origin.

    Example: vedette settings
    """
    from vedette.settings import origins
    from vedette.text.safe import clean

    for name, (value, origin) in origins(config, {}).items():
        sys.stdout.write(f"{name} = {clean(value)}  ({clean(origin)})\n")
