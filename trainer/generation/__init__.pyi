from .filters import Decoding as Decoding
from .filters import probabilities as probabilities
from .generation_request import GenerationRequest as GenerationRequest
from .sampling import generate_samples as generate_samples
from .sampling import stream_text as stream_text
from .text_generation import generate_text as generate_text
