"""Networks of torchvision: classifiers, segmentation, detectors with and without what follows their heads, video."""

from entry import DYNAMO, OLDER, Entry, Input

#: Name, length of the image's sides, arguments.
CLASSIFIERS = [
    ("resnet18", 64, {}),
    ("resnet50", 224, {}),
    ("resnext50_32x4d", 64, {}),
    ("wide_resnet50_2", 64, {}),
    ("mobilenet_v2", 224, {}),
    ("mobilenet_v3_small", 224, {}),
    ("mobilenet_v3_large", 224, {}),
    ("efficientnet_b0", 224, {}),
    ("efficientnet_b3", 96, {}),
    ("efficientnet_v2_s", 96, {}),
    ("convnext_tiny", 96, {}),
    ("densenet121", 64, {}),
    ("googlenet", 96, {"aux_logits": False, "init_weights": False}),
    ("inception_v3", 96, {"aux_logits": False, "init_weights": False, "transform_input": True}),
    ("shufflenet_v2_x1_0", 64, {}),
    ("squeezenet1_1", 96, {}),
    ("mnasnet1_0", 64, {}),
    ("regnet_y_400mf", 64, {}),
    ("regnet_x_800mf", 64, {}),
    ("vgg11_bn", 224, {}),
    ("alexnet", 224, {}),
    ("vit_b_16", 64, {"image_size": 64}),
    ("swin_t", 64, {}),
    ("swin_v2_t", 64, {}),
    ("maxvit_t", 224, {"input_size": (224, 224)}),
]
SEGMENTATION = [
    ("deeplabv3_mobilenet_v3_large", 96),
    ("fcn_resnet50", 64),
    ("lraspp_mobilenet_v3_large", 96),
    ("deeplabv3_resnet50", 96),
]
#: Heads alone: what people export where the choice of boxes stays outside.
HEADS = [("ssdlite320_mobilenet_v3_large", 320), ("retinanet_resnet50_fpn", 96), ("fcos_resnet50_fpn", 96)]
DETECTORS = [
    ("ssdlite320_mobilenet_v3_large", 320),
    ("retinanet_resnet50_fpn", 128),
    ("fasterrcnn_mobilenet_v3_large_320_fpn", 128),
]
#: Name, frames, length of the sides.
VIDEO = [("r3d_18", 8, 48), ("mvit_v2_s", 16, 224), ("s3d", 16, 224)]
#: Those that the exporter on torch.export is tried with too.
BOTH = {
    "resnet18",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "convnext_tiny",
    "densenet121",
    "shufflenet_v2_x1_0",
    "regnet_y_400mf",
    "vit_b_16",
}


def entries() -> list[Entry]:
    every = [_classifier(*row) for row in CLASSIFIERS] + [_segmentation(*row) for row in SEGMENTATION]
    every += [_head(*row) for row in HEADS] + [_detector(*row) for row in DETECTORS] + [_video(*row) for row in VIDEO]
    return [*every, _flow()]


def _image(side: int, kind: str = "normal") -> tuple[Input, ...]:
    return (Input("image", (3, side, side), kind),)


def _classifier(name: str, side: int, arguments: dict) -> Entry:
    def build():
        from torchvision import models

        return getattr(models, name)(weights=None, **arguments)

    return Entry(name, _image(side), build, (OLDER, DYNAMO) if name in BOTH else (OLDER,))


def _segmentation(name: str, side: int) -> Entry:
    def build():
        from torchvision.models import segmentation

        return getattr(segmentation, name)(weights=None, weights_backbone=None)

    return Entry(name, _image(side), build, call=lambda network, image: network(image)["out"])


def _head(name: str, side: int) -> Entry:
    def build():
        from torchvision.models import detection

        return getattr(detection, name)(weights=None, weights_backbone=None)

    def call(network, image):
        features = network.backbone(image)
        outputs = network.head(list(features.values()) if isinstance(features, dict) else [features])
        return [outputs[name] for name in sorted(outputs)]

    return Entry(f"{name}_head", _image(side), build, call=call)


def _detector(name: str, side: int) -> Entry:
    def build():
        from torchvision.models import detection

        sides = {} if "320_mobilenet" in name else {"min_size": side, "max_size": side}
        return getattr(detection, name)(weights=None, weights_backbone=None, **sides)

    def call(network, image):
        found = network([image[0]])
        found = found[1] if isinstance(found, tuple) else found
        return [found[0][name] for name in ("boxes", "scores", "labels")]

    return Entry(name, _image(side, "unit"), build, call=call, open_batch=False, calibrate=False)


def _video(name: str, frames: int, side: int) -> Entry:
    def build():
        from torchvision.models import video

        return getattr(video, name)(weights=None)

    return Entry(name, (Input("frames", (3, frames, side, side)),), build)


def _flow() -> Entry:
    def build():
        from torchvision.models import optical_flow

        return optical_flow.raft_small(weights=None)

    inputs = (Input("first", (3, 128, 128)), Input("second", (3, 128, 128)))
    call = lambda network, first, second: network(first, second, num_flow_updates=2)[-1]  # noqa: E731
    return Entry("raft_small", inputs, build, call=call, open_batch=False, calibrate=False)
