from probes.export import export_files as export_files
from probes.groups.cohesion import group_cohesion as cohesion
from probes.groups.frequency import token_table as tokens
from probes.groups.naming import Group as Group
from probes.groups.naming import parse_highlight as parse_highlight
from probes.groups.wording import comparison_sentence as comparison_sentence
from probes.models.attention import attention_maps as attention
from probes.models.forward_trace import forward_trace as forward_trace
from probes.models.forward_trace import lens_terms as lens_terms
from probes.models.heads import copying as copying
from probes.models.heads import head_scores as heads
from probes.models.logits import logit_lens as lens
from probes.models.logits import loss_by_position as context
from probes.models.logits import next_token_distribution as next_token
from probes.models.zero_shot import zero_shot as zero_shot
from probes.parallel import open_client as open_client
from probes.registry import PROBES as PROBES
from probes.registry import ProbeRequest as ProbeRequest
from probes.registry import measure as measure
from probes.tables.embeddings import lazy_table as lazy_table
from probes.tables.embeddings import position_embeddings as positions
from probes.tables.embeddings import read_table as read_table
from probes.tables.geometry import token_geometry as token_geometry
from probes.tables.neighbours import nearest_neighbours as neighbours
from probes.tables.order import position_order as position_order
from probes.tables.positions import position_similarity as position_similarity
from probes.tables.positions import position_structure as position_structure
from probes.tables.vectors import import_vectors as import_vectors
from probes.tables.vectors import read_word2vec as read_word2vec

__all__ = [
    "PROBES",
    "Group",
    "ProbeRequest",
    "attention",
    "cohesion",
    "comparison_sentence",
    "context",
    "copying",
    "export_files",
    "forward_trace",
    "heads",
    "import_vectors",
    "lazy_table",
    "lens",
    "lens_terms",
    "measure",
    "neighbours",
    "next_token",
    "open_client",
    "parse_highlight",
    "position_order",
    "position_similarity",
    "position_structure",
    "positions",
    "read_table",
    "read_word2vec",
    "token_geometry",
    "tokens",
    "zero_shot",
]
