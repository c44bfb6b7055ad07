"""What leaves the platform: ZIP files made piece by piece, signed with its own key, checked by whoever gets them."""

from safecity.core.ground.packages.check import Checked, check_package
from safecity.core.ground.packages.signing import SIGNATURE, Signer, fingerprint, name_of_signature
from safecity.core.ground.packages.zipped import zipped

__all__ = ["SIGNATURE", "Checked", "Signer", "check_package", "fingerprint", "name_of_signature", "zipped"]
