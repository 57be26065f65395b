"""The settings of still pictures by name; `video.py` has one for pans."""

from .degradation import clean, medium, mild, strong
from .reference import camera, worn

SETTINGS = {
    "clean": clean,
    "mild": mild,
    "medium": medium,
    "camera": camera,
    "worn": worn,
    "strong": strong,
}
