"""Text that the heads of coded files have in common: deflate refers to it, so that a small file need not repeat it.

It is part of the format: a changed text makes all coded files of before unreadable.
"""

KNOWN_TEXT = (
    b'"compressed_data":"compressed_outputs":"storage":"raw","tile":0,"stride":0,"kept":"reconstructions","dictionary":"ksvd",'
    b'"cut":"kind":"composite","stages":[{"front":"coder","projection","scale","sparse_bottleneck","pca_bottleneck",'
    b'"nonnegative":false,"tolerance":0.0,"side":0,"step":0,"piece","first":{"second":{"kind":"factors",'
    b'"kind":"quantized","levels","bits":"group":"symmetric":"codebook","scales","zeros",'
    b'"kind":"coded","height":16,"atoms":128,"nonzeros":3,"places":"storage":"int8","kind":"sparse","form":"bitmask",'
    b'"form":"csr","nonzeros":"dense":{"bias":true,"dilation":[1,1],"groups":1,"kernel_size":[5,5],"padding":[0,0],'
    b'"sizes":[16,32],"stride":[1,1],"type":"Conv2d"}},"dense":{"bias":false,"sizes":[784,300],"type":"Linear"},'
    b'"precision":"float16","int8","float32",'
    b'{"architecture":{"classes":10,"dropout":0.0,"family":"mlp","hidden":"300-100","shape":[1,28,28]},"both_ways":true,'
    b'"channels":"none","inner":"none","family":"gru","family":"resnet","family":"cnn","family":"logistic",'
    b'"layers":{"1":{"3":{"5":{},"made_for":{"classes":10,"data":"mnist5k","digest":"","normaliser":'
    b'"AAAAAAAAAAAAAAAAAADwPw=="'
    b',"shape":[1,28,28]},"tensors":[["1.running_mean","running_var","body.0.weight","shortcut.1.bias","input_map",'
    b'"state_map","forwards","backwards","sizes","labels","mean","codes","indices","U8",["packed",'
    b'"1.mask","U8",[29400],["packed",235200,1],"1.columns","U16",["places",300,784],"1.counts","U16",[300],["follows"],0],'
    b'["1.atoms","F32",[128,16],["planes"],"1.scale","F32",[],["words"],"1.values","I8",["planes"],'
    b'["1.bias","F32",[300],["planes"],1095],["1.weight","F32",[300,784],["planes"],')
