"""Types of arrays that the whole toolkit uses."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TokenIds = NDArray[np.int64]
"""Token ids, of any shape."""
