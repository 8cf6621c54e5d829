"""Networks of Ultralytics, made from the descriptions in its package, which is under the AGPL: only tests use it."""

from entry import DYNAMO, OLDER, Entry, Input

#: Description, class, length of the sides, number of classes.
NETWORKS = [
    ("yolov3-tiny", "DetectionModel", 96, 4),
    ("yolov5n", "DetectionModel", 128, 4),
    ("yolov8n", "DetectionModel", 320, 4),
    ("yolov9t", "DetectionModel", 128, 4),
    ("yolov10n", "DetectionModel", 128, 4),
    ("yolo11n", "DetectionModel", 128, 4),
    ("yolo12n", "DetectionModel", 128, 4),
    ("yolo26n", "DetectionModel", 128, 4),
    ("yolov8n-seg", "SegmentationModel", 128, 4),
    ("yolov8n-pose", "PoseModel", 128, 1),
    ("yolov8n-cls", "ClassificationModel", 64, 4),
    ("yolo11n-obb", "OBBModel", 128, 4),
]
#: Those that the exporter on torch.export is tried with too.
BOTH = {"yolo11n", "yolo26n"}


def entries() -> list[Entry]:
    return [_entry(*row) for row in NETWORKS]


def _entry(name: str, class_name: str, side: int, classes: int) -> Entry:
    def build():
        from ultralytics.nn import tasks

        return getattr(tasks, class_name)(f"{name}.yaml", ch=3, nc=classes, verbose=False)

    def prepare(network):
        for module in network.modules():
            if hasattr(module, "export"):
                module.export, module.format, module.dynamic = True, "onnx", False

    exporters = (OLDER, DYNAMO) if name in BOTH else (OLDER,)
    image = (Input("images", (3, side, side), "unit"),)
    return Entry(name, image, build, exporters, prepare=prepare, calibrate="cls" not in name)
