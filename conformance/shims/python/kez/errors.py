"""The one exception of this package, and the codes of the error table (errors.md)."""

from __future__ import annotations


class KezError(Exception):
    """An input that the protocol refuses.

    `code` is a code of the error table, or `zero_shared_secret`.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


_TABLE = """
json_malformed json_duplicate_name json_number json_string json_depth encoding_malformed too_large key_malformed
key_rejected mnemonic_invalid handle_malformed identifier_malformed timestamp_malformed envelope_malformed
envelope_kind signature_invalid algorithm_unsupported event_malformed chain_conflict chain_full chain_not_found
chain_terminated chain_fork chain_rollback handle_taken primary_taken handle_reserved handle_deleted handle_not_found
not_local wrong_server clock_skew record_invalid address_forbidden frame_malformed frame_unreadable message_malformed
message_misdirected message_undecryptable message_too_large padding_invalid suite_unsupported page_malformed
blob_mismatch blob_incomplete file_undecryptable no_content_key file_not_found content_key_invalid ticket_malformed
ticket_mismatch manifest_malformed manifest_mismatch manifest_rollback manifest_conflict manifest_not_found
unauthorized login_refused not_found method_not_allowed media_type_unsupported request_malformed request_timeout
uri_too_long rate_limited unavailable store_full internal contact_unreachable federation_unsupported
"""

CODES = frozenset(_TABLE.split())
"""The codes of the error table."""
