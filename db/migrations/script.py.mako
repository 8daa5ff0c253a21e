"""${message}"""

import sqlalchemy as sa
from alembic import op

import db.models.base
import db.models.provider_keys
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    # Only adds: processes of the last version run on these tables too. What only they need is removed by `contract()`.
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
