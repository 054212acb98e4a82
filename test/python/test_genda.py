"""GenDA: adaptor, classifier, narrowed latents and losses."""

import pytest
import torch
from corpus import PYTHON
from torch import nn
from torch.nn import functional as F

AttributeAdaptor = PYTHON["genda"]["AttributeAdaptor"]
AttributeClassifier = PYTHON["genda"]["AttributeClassifier"]
truncate_latent = PYTHON["genda"]["truncate_latent"]
genda_losses = PYTHON["genda"]["genda_losses"]


def test_adaptor_starts_as_the_identity_with_two_numbers_an_entry() -> None:
    adaptor = AttributeAdaptor(512)
    z = torch.randn(3, 512)
    assert torch.equal(adaptor(z), z)
    assert sum(part.numel() for part in adaptor.parameters()) == 1_024


def test_adaptor_is_invertible_where_no_factor_is_zero() -> None:
    adaptor = AttributeAdaptor(8)
    nn.init.uniform_(adaptor.weight, 0.5, 2.0)
    nn.init.normal_(adaptor.bias)
    z = torch.randn(3, 8)
    torch.testing.assert_close((adaptor(z) - adaptor.bias) / adaptor.weight, z)


def test_gradients_pass_through_frozen_networks() -> None:
    torch.manual_seed(0)
    generator = nn.Linear(8, 12).requires_grad_(False)
    trunk = nn.Linear(12, 6).requires_grad_(False)
    adaptor, classifier = AttributeAdaptor(8), AttributeClassifier(6)
    fake = classifier(trunk(generator(adaptor(torch.randn(4, 8)))))
    real = classifier(trunk(torch.randn(1, 12)))
    assert fake.shape == (4,) and real.shape == (1,)
    _, adaptor_loss = genda_losses(real, fake)
    adaptor_loss.backward()
    assert adaptor.weight.grad.abs().sum() > 0 and adaptor.bias.grad.abs().sum() > 0
    assert generator.weight.grad is None and trunk.weight.grad is None


def test_classifier_reads_maps_by_their_mean() -> None:
    classifier = AttributeClassifier(6)
    features = torch.randn(2, 6, 3, 4)
    torch.testing.assert_close(classifier(features), classifier(features.mean((2, 3))))


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_truncation_narrows_to_the_mean(beta: float) -> None:
    z, mean = torch.randn(5, 8), torch.randn(8)
    narrow = truncate_latent(z, mean, beta)
    torch.testing.assert_close(narrow - mean, beta * (z - mean))
    with pytest.raises(ValueError, match=r"beta must be between 0 and 1, got 1\.5"):
        truncate_latent(z, mean, 1.5)


def test_losses_are_cross_entropies() -> None:
    real, fake = torch.randn(3), torch.randn(5)
    classifier, adaptor = genda_losses(real, fake)
    entropy = F.binary_cross_entropy_with_logits
    expected = entropy(real, torch.ones(3)) + entropy(fake, torch.zeros(5))
    torch.testing.assert_close(classifier, expected)
    torch.testing.assert_close(adaptor, entropy(fake, torch.ones(5)))
