"""The ``p2c.toml`` that ``p2c init`` writes.

Every setting with its default, commented out where it need not be said.
"""

from __future__ import annotations

import json
from typing import Final

from schemas.sales import USUAL_NUMBER

_WIDTH: Final = 44


def _line(key: str, value: str | None, shown: str, why: str) -> str:
    text = (
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        if value is not None
        else f"# {key} = {shown}"
    )
    return f"{text:<{_WIDTH - 2}}  # {why}"


def _auth(section: str, variable: str) -> list[str]:
    return [
        f"# [{section}.auth]",
        _line(
            "kind", None, '"client_secret"', "or certificate, managed_identity, azure_cli, token"
        ),
        _line("tenant", None, '"contoso.onmicrosoft.com"', "name or id"),
        _line("client_id", None, '"00000000-0000-0000-0000-000000000000"', "the app registration"),
        _line(
            "secret_env",
            None,
            f'"{variable}"',
            "the variable with the secret; none stands in this file",
        ),
    ]


def starter(
    *, legal_entity: str | None, currency: str | None, country: str | None, path: str
) -> str:
    """The text of a new project file."""
    return "\n".join(
        (
            "# p2c: contacts from Dynamics 365 Sales to Dynamics 365 Supply Chain Management.",
            "# Settings that are commented out show their default or an example.",
            "",
            "[source]",
            _line(
                "kind",
                "files",
                "",
                'a folder of exports; or "dataverse": Sales itself, without path',
            ),
            _line("path", path, "", "relative to this file; one file or folder per table"),
            _line(
                "filter", None, '"statecode = 0"', "SQL condition on contacts; null means left out"
            ),
            _line("flag_blank", None, '"no"', 'blank Is Active Customer: "no", or "hold"'),
            _line("contact_number_pattern", None, f'"{USUAL_NUMBER}"', "other forms get a warning"),
            _line("row_limit", None, "1048576", "bytes that one record may have"),
            _line("url", None, '"https://contoso.crm4.dynamics.com"', "Sales' address"),
            _line(
                "parallel", None, "50", "requests at once, at the most; Sales' own hint counts, too"
            ),
            "",
            *_auth("source", "P2C_SALES_SECRET"),
            "",
            "[destination]",
            _line(
                "load",
                "folder",
                "",
                'packages to import by hand; or "packages", "odata", "auto": sent to url',
            ),
            _line("url", None, '"https://contoso.operations.eu.dynamics.com"', "SCM's address"),
            _line("parallel", None, "50", "requests at once, at the most"),
            _line(
                "name",
                None,
                '"folder"',
                "names the destination in runs/loaded; else the host of url",
            ),
            _line(
                "legal_entity",
                legal_entity,
                '"usmf"',
                "serves business units that [organizations] leaves out",
            ),
            _line("currency", currency, '"EUR"', "for contacts without a currency"),
            _line("country", country, '"DE"', "for contacts without a country"),
            _line(
                "known_customers",
                None,
                '"customers.csv"',
                "a Customers V2 export: which accounts SCM has",
            ),
            _line("batch_rows", None, "20000", "rows of one package"),
            _line(
                "auto_rows",
                None,
                "500",
                'load = "auto": up to so many rows go over OData (a guess)',
            ),
            _line("odata_rows", None, "100", "rows of one OData request"),
            _line(
                "contacts_label",
                None,
                '"CDS Contacts"',
                'or "Dataverse Contacts", as your SCM calls the entity',
            ),
            "",
            *_auth("destination", "P2C_SCM_SECRET"),
            "",
            "[run]",
            _line("morsel_rows", None, "122880", "rows worked on at once; changes no result"),
            _line("memory", None, '"1GB"', "for joins and look-ups; beyond it they spill to disk"),
            _line("max_plan_age", None, '"24h"', "when it is first applied; live sources only"),
            _line("odata_requests", None, "4", "OData requests at once"),
            _line(
                "parallel_imports", None, "1", "more needs Enhanced parallel package import in SCM"
            ),
            _line("poll", None, '"10s"', "between two looks at an import, at the most"),
            _line("wait_known", None, '"2m"', "until SCM must know an import that was sent"),
            _line(
                "wait_turn", None, '"1h"', "until SCM must take an import, if others are under way"
            ),
            _line(
                "wait_import",
                None,
                '"12h"',
                "until an import must have ended; then the same command goes on",
            ),
            _line("wait_keys", None, '"5m"', "until the file of refused keys must be there"),
            "",
            "[backfill]",
            _line(
                "seed",
                None,
                '"p2c"',
                "what the suffixes of new numbers are derived from, with the contactid",
            ),
            _line(
                "statuses",
                None,
                '""',
                'statecode values of quotes, orders and invoices that count, as in "0,1"; all',
            ),
            _line(
                "null_to_no",
                None,
                "false",
                "blank Is Active Customer without such documents becomes No",
            ),
            _line(
                "fix_company_flag",
                None,
                "false",
                "Is Company An Account is set right by the company",
            ),
            _line(
                "bulk",
                None,
                '"batch"',
                'or "UpdateMultiple": faster, for a Sales that nobody else writes to',
            ),
            _line("request_rows", None, "100", "rows of one request into Sales"),
            _line(
                "bypass",
                None,
                '"none"',
                'custom code in Sales to skip: "plugins" or "logic"; needs a privilege',
            ),
            _line(
                "duplicate_detection",
                None,
                '"default"',
                'or "suppress": skip duplicate detection in Sales',
            ),
            "",
            f"{'[organizations]':<{_WIDTH}}# business unit (name or id, exact) = legal entity",
            '# "Contoso Germany" = "demf"',
            "",
            f"{'[countries]':<{_WIDTH}}# spellings of your own = ISO 3166-1 code",
            '# "Tyskland (Vest)" = "DE"',
            "",
            (
                "# A row of a mapping: change one, or add one. `p2c templates ContactToCustomer` "
                "shows all."
            ),
            "# [tasks.ContactToCustomer.fields.SiteId]",
            '# source = "address1_country"',
            _line("country", None, "true", "after it the value map sees the ISO-2 code"),
            '# value_map = { DE = "2", DK = "3" }',
            _line("default", None, '"1"', "serves blanks"),
            _line(
                "on_unknown",
                None,
                '"default"',
                'and what the value map does not know; else "reject" or "pass"',
            ),
            "",
        )
    )
