"""What may come before any rule's body: a sign, weight decay through the gradient, and decoupled decay."""


def body(w, g, sign, lam, keep):
    """g <- sign * g + lam * w (L2);  w <- keep * w (decoupled).  (w, g)

    sign : +1 minimises, -1 maximises;  lam : L2 coefficient;  keep : 1 - rate * decoupled coefficient.
    An engine composes it with a rule's body only where one of the three does something.
    """
    g = sign * g + lam * w
    w = keep * w
    return w, g
